/** Nobody who only looks at the newest packets needs the language: it is loaded when somebody filters. */

export type Language = typeof import('./language');

let loading: Promise<Language> | undefined;

/** Rejects when it cannot be fetched; the next call tries again. */
export function language(): Promise<Language> {
  loading ??= import('./language').catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}
