/** The one place that talks to the server. Paths, parameters and answers are those of its OpenAPI document. */
import type { paths } from './schema';

/** A request that did not give the data; says what the reader can be told. */
export class ApiError extends Error {
  constructor(
    message: string,
    /** HTTP status, or 0 when no answer came at all. */
    readonly status: number,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

type JsonOf<Operation> = Operation extends {
  responses: { 200: { content: { 'application/json': infer Body } } };
}
  ? Body
  : never;

/** Every path that answers a GET with JSON. */
type GetPath = {
  [P in keyof paths]: paths[P] extends { get: infer G } ? ([JsonOf<G>] extends [never] ? never : P) : never;
}[keyof paths];

type GetOf<P extends GetPath> = paths[P] extends { get: infer G } ? G : never;

export type Answer<P extends GetPath> = JsonOf<GetOf<P>>;

type QueryOf<P extends GetPath> = GetOf<P> extends { parameters: { query?: infer Q } } ? Q : never;

type InPath<P extends GetPath> = GetOf<P> extends { parameters: { path: infer Params } } ? Params : never;

interface Options<P extends GetPath> {
  /** What stands in braces in the path. */
  path?: InPath<P> & object;
  query?: QueryOf<P> & object;
  signal?: AbortSignal;
}

/** After this the server counts as not answering. */
const TIMEOUT_MS = 20_000;

export async function get<P extends GetPath>(
  path: P,
  { path: params, query, signal }: Options<P> = {},
): Promise<Answer<P>> {
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  const response = await send(
    address(path, params, query),
    signal ? AbortSignal.any([signal, limit]) : limit,
    signal,
  );
  if (!response.ok) throw new ApiError(await reason(response), response.status);
  return (await response.json()) as Answer<P>;
}

function address(path: string, params: object | undefined, query: object | undefined): string {
  let url = path;
  for (const [key, value] of Object.entries(params ?? {}))
    url = url.replace(`{${key}}`, encodeURIComponent(String(value)));
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== '') search.set(key, String(value));
  }
  return search.size > 0 ? `${url}?${search}` : url;
}

async function send(url: string, signal: AbortSignal, caller: AbortSignal | undefined): Promise<Response> {
  try {
    return await fetch(url, { signal, headers: { accept: 'application/json' } });
  } catch (error) {
    if (caller?.aborted) throw error;
    throw new ApiError(
      signal.aborted ? 'the server did not answer in time' : 'the server cannot be reached',
      0,
    );
  }
}

/** The server's own words where it gave any. */
async function reason(response: Response): Promise<string> {
  try {
    const body: unknown = await response.json();
    if (typeof body === 'object' && body !== null && 'error' in body && typeof body.error === 'string') {
      const detail = 'detail' in body && typeof body.detail === 'string' ? `: ${body.detail}` : '';
      return `${body.error}${detail}`;
    }
  } catch {
    // Not JSON: the status line has to do.
  }
  return `the server answered ${response.status} ${response.statusText}`.trim();
}
