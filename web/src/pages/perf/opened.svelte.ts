import { SvelteSet } from 'svelte/reactivity';

/** The parts of the page that a reader has unfolded on a phone, where all of them would be ten screens. Elsewhere all are open. */
export const opened = new SvelteSet<string>();
