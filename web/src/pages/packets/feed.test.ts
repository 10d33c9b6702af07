import { beforeEach, expect, test, vi } from 'vitest';
import { api } from '../../lib/api/api';
import { ApiError } from '../../lib/api/client';
import type { PacketList, PacketRow } from '../../lib/api/types';
import { copy, packet } from '../../lib/testing';
import { PacketFeed } from './feed.svelte';

vi.mock('../../lib/api/api', () => ({ api: { packets: vi.fn() } }));

const packets = vi.mocked(api.packets);

function list(...ids: number[]): PacketList {
  const rows = ids.map((id) => packet({ id, hash: `h${id}` }) as PacketRow);
  return { packets: rows, total: ids.length, limit: 60, offset: 0, nextCursor: null };
}

function ids(feed: PacketFeed): (number | undefined)[] {
  return Array.from({ length: feed.rows }, (_, i) => feed.row(i)?.data.id);
}

async function opened(filter: string, ...history: number[]): Promise<PacketFeed> {
  packets.mockResolvedValueOnce(list(...history));
  const feed = new PacketFeed(() => undefined);
  await feed.open({ filter });
  return feed;
}

beforeEach(() => {
  packets.mockReset();
});

test('the expression is sent with every page', async () => {
  await opened('snr > 5', 1);
  expect(packets.mock.calls[0]?.[0]).toMatchObject({ filter: 'snr > 5' });
});

test('a packet is a row as soon as its copies say so, in the place that the server gives it', async () => {
  const feed = await opened('any(snr > 5)', 1);
  const weak = { id: 2, hash: 'h2', snr: -4 };
  feed.receive([copy(10, { ...weak }), copy(11, { id: 3, hash: 'h3', snr: 9 })]);
  expect(ids(feed)).toEqual([3, 1]);
  feed.receive([copy(12, { ...weak, snr: 8, observation_count: 2 })]);
  expect(ids(feed)).toEqual([3, 2, 1]);
  expect(feed.row(1)?.data.observation_count).toBe(2);
  expect(packets).toHaveBeenCalledTimes(1);
});

test('a row that no longer belongs goes, but not while the reader is elsewhere', async () => {
  const feed = await opened('observers == 1', 1);
  feed.receive([copy(10, { id: 2, hash: 'h2' }), copy(11, { id: 3, hash: 'h3' })]);
  expect(ids(feed)).toEqual([3, 2, 1]);
  feed.receive([copy(12, { id: 2, hash: 'h2', observation_count: 2, observer_count: 2 })]);
  expect(ids(feed)).toEqual([3, 1]);
  feed.setTop(false);
  feed.receive([copy(13, { id: 3, hash: 'h3', observation_count: 2, observer_count: 2 })]);
  expect(ids(feed)).toEqual([3, 1]);
  feed.setTop(true);
  expect(ids(feed)).toEqual([1]);
});

test('the server is asked about what cannot be judged here, and not about what is too old to be new', async () => {
  vi.useFakeTimers();
  const feed = await opened('snr > 5', ...Array.from({ length: 60 }, (_, i) => 160 - i));
  const late = { snr: 9, observation_count: 7 };
  feed.receive([copy(10, { ...late, id: 50, hash: 'h50' })]);
  await vi.advanceTimersByTimeAsync(3000);
  expect(packets).toHaveBeenCalledTimes(1);
  packets.mockResolvedValueOnce(list(200, ...Array.from({ length: 59 }, (_, i) => 160 - i)));
  feed.receive([copy(11, { ...late, id: 200, hash: 'h200' })]);
  await vi.advanceTimersByTimeAsync(3000);
  expect(packets).toHaveBeenCalledTimes(2);
  expect(ids(feed).slice(0, 2)).toEqual([200, 160]);
  vi.useRealTimers();
});

test('what the server refuses leaves the list as it was, live rows too', async () => {
  const feed = await opened('type == GRP_TXT', 1);
  const mistake = { parameter: 'filter', offset: 7, length: 3, message: 'unclosed group', hint: null };
  packets.mockRejectedValueOnce(new ApiError('filter: unclosed group', 400, mistake));
  await feed.open({ filter: 'text ~ "("' });
  expect(feed.refused?.error.mistake).toEqual(mistake);
  expect(feed.error).toBeUndefined();
  feed.receive([copy(10, { id: 2, hash: 'h2', payload_type: 5 }), copy(11, { id: 3, hash: 'h3', payload_type: 4 })]);
  expect(ids(feed)).toEqual([2, 1]);
});

test('what comes in while the list is loaded is not lost', async () => {
  let answer: (list: PacketList) => void = () => undefined;
  packets.mockReturnValueOnce(new Promise((resolve) => { answer = resolve; }));
  const feed = new PacketFeed(() => undefined);
  const opening = feed.open({ filter: 'type == GRP_TXT' });
  feed.receive([copy(10, { id: 2, hash: 'h2' }), copy(11, { id: 1, hash: 'h1' })]);
  answer(list(1));
  await opening;
  expect(ids(feed)).toEqual([2, 1]);
});

test('where the server stopped looking, the list goes on until it has no more', async () => {
  const bounded = { totalIsLowerBound: true, limit: 60, offset: 0 };
  packets.mockResolvedValueOnce({ ...list(), ...bounded, nextCursor: 'a' });
  let answer: (list: PacketList) => void = () => undefined;
  packets.mockReturnValueOnce(new Promise((resolve) => { answer = resolve; }));
  const feed = new PacketFeed(() => undefined);
  await feed.open({ filter: 'snr > 5' });
  expect([feed.rows, feed.bounded, feed.searching]).toEqual([0, true, true]);
  const full = Array.from({ length: 60 }, (_, i) => 100 - i);
  answer({ ...list(...full), ...bounded, nextCursor: 'b' });
  await vi.waitFor(() => expect(feed.searching).toBe(false));
  // One more is known to be possible, and asked for when it is looked at.
  expect(feed.rows).toBe(61);
  packets.mockResolvedValueOnce({ ...list(7, 6), ...bounded, nextCursor: null });
  feed.need(40, 61);
  await vi.waitFor(() => expect(feed.rows).toBe(62));
  expect(packets.mock.calls.map(([query]) => [query.cursor, query.limit])).toEqual([[undefined, 60], ['a', 60], ['b', 60]]);
  expect([feed.row(60)?.data.id, feed.row(61)?.data.id]).toEqual([7, 6]);
});
