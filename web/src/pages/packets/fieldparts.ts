/** What hangs below the filter's field, loaded when somebody is about to type. */
export { default as FilterMistake } from './FilterMistake.svelte';
export { default as FilterOffers } from './FilterOffers.svelte';
export { suggest } from './suggest';
