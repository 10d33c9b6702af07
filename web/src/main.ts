import { mount } from 'svelte';
import App from './App.svelte';
import { live } from './lib/live/live.svelte';
import './styles/tokens.css';
import './styles/base.css';

const target = document.getElementById('app');
if (target) {
  live.start();
  mount(App, { target });
}
