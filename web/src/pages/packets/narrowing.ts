import { getContext, setContext } from 'svelte';

type Narrow = (condition: string) => void;

const KEY = Symbol('narrow');

/** Lets what is shown below add a comparison to the filter. */
export function offerNarrowing(narrow: Narrow): void {
  setContext(KEY, narrow);
}

/** `undefined` where nothing can be filtered. */
export function narrowing(): Narrow | undefined {
  return getContext<Narrow | undefined>(KEY);
}
