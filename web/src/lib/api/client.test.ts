import { expect, test, vi } from 'vitest';
import { ApiError, get } from './client';

function answers(status: number, body: unknown): void {
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify(body), { status })));
}

async function failure(): Promise<ApiError> {
  const error: unknown = await get('/api/packets').catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ApiError);
  return error as ApiError;
}

test('a filter that is refused has its place and a hint', async () => {
  answers(400, { error: 'filter: there is no field `x`', parameter: 'filter', offset: 3, length: 1, hint: 'did you mean `y`?' });
  const { status, mistake } = await failure();
  expect(status).toBe(400);
  expect(mistake).toEqual({ parameter: 'filter', offset: 3, length: 1, message: 'there is no field `x`', hint: 'did you mean `y`?' });
});

test('other refusals have none', async () => {
  answers(400, { error: 'limit: not a number', parameter: 'limit' });
  expect((await failure()).mistake).toBeUndefined();
  answers(503, ['busy']);
  expect(await failure()).toMatchObject({ status: 503, message: 'the server answered 503' });
});
