/** The one place that talks to the server. Paths, parameters and answers are those of its OpenAPI document. */
import { isRecord } from '../packet/decoded';
import type { paths } from './schema';

/** A request that did not give the data; says what the reader can be told. */
export class ApiError extends Error {
  constructor(
    message: string,
    /** HTTP status, or 0 when no answer came at all. */
    readonly status: number,
    /** What of the request is wrong, where the server said it. */
    readonly mistake?: Mistake,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

/** A part of a parameter that is wrong. */
export interface Mistake {
  parameter: string;
  /** In characters from its start. */
  offset: number;
  length: number;
  message: string;
  hint: string | null;
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

/** Every path that takes a POST and answers with JSON. */
type PostPath = {
  [P in keyof paths]: paths[P] extends { post: infer O } ? ([JsonOf<O>] extends [never] ? never : P) : never;
}[keyof paths];

type PostOf<P extends PostPath> = paths[P] extends { post: infer O } ? O : never;

type BodyOf<Operation> = Operation extends { requestBody: { content: { 'application/json': infer Body } } }
  ? Body
  : undefined;

interface Order<P extends PostPath> {
  /** What stands in braces in the path. */
  path?: Readonly<Record<string, string>>;
  body?: BodyOf<PostOf<P>>;
  /** The API key, without which the server changes nothing. */
  key: string;
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
    { signal: signal ? AbortSignal.any([signal, limit]) : limit, headers: { accept: 'application/json' } },
    signal,
  );
  if (!response.ok) throw await refused(response);
  return (await response.json()) as Answer<P>;
}

/** Asks the server to do something, which it does for those who know its API key. */
export async function post<P extends PostPath>(
  path: P,
  { path: params, body, key }: Order<P>,
): Promise<JsonOf<PostOf<P>>> {
  const headers: Record<string, string> = { accept: 'application/json', 'x-api-key': key };
  if (body !== undefined) headers['content-type'] = 'application/json';
  const response = await send(address(path, params, undefined), {
    method: 'POST',
    headers,
    body: body === undefined ? null : JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw await refused(response);
  return (await response.json()) as JsonOf<PostOf<P>>;
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

async function send(
  url: string,
  request: RequestInit & { signal: AbortSignal },
  caller?: AbortSignal,
): Promise<Response> {
  try {
    return await fetch(url, request);
  } catch (error) {
    if (caller?.aborted) throw error;
    throw new ApiError(
      request.signal.aborted ? 'the server did not answer in time' : 'the server cannot be reached',
      0,
    );
  }
}

/** The server's own words where it gave any. */
async function refused(response: Response): Promise<ApiError> {
  try {
    const body: unknown = await response.json();
    if (isRecord(body) && typeof body.error === 'string') {
      const detail = typeof body.detail === 'string' ? `: ${body.detail}` : '';
      return new ApiError(`${body.error}${detail}`, response.status, mistakeOf(body, body.error));
    }
  } catch {
    // Not JSON: the status line has to do.
  }
  return new ApiError(`the server answered ${response.status} ${response.statusText}`.trim(), response.status);
}

function mistakeOf(body: Readonly<Record<string, unknown>>, error: string): Mistake | undefined {
  const { parameter, offset, length, hint } = body;
  if (typeof parameter !== 'string' || typeof offset !== 'number' || typeof length !== 'number') return undefined;
  const message = error.startsWith(`${parameter}: `) ? error.slice(parameter.length + 2) : error;
  return { parameter, offset, length, message, hint: typeof hint === 'string' ? hint : null };
}
