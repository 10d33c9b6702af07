/** The requests the pages make, one function each. */
import { get, post } from './client';
import type { HistoryQuery, JobAction, NodeQuery, PacketList, PacketQuery } from './types';

type Signal = AbortSignal | undefined;

export const api = {
  clientConfig: (signal?: Signal) => get('/api/config/client', { signal }),
  stats: (signal?: Signal) => get('/api/stats', { signal }),
  packets: async (query: Omit<PacketQuery, 'groupByHash'>, signal?: Signal): Promise<PacketList> => {
    const list = await get('/api/packets', { query, signal });
    // The document cannot say it, but rows are grouped only where `groupByHash` asks for it.
    return { ...list, packets: list.packets as PacketList['packets'] };
  },
  filterFields: (signal?: Signal) => get('/api/filter/fields', { signal }),
  packet: (id: string, signal?: Signal) => get('/api/packets/{id}', { path: { id }, signal }),
  nodes: (query: NodeQuery, signal?: Signal) => get('/api/nodes', { query, signal }),
  nodeSearch: (q: string, signal?: Signal) => get('/api/nodes/search', { query: { q }, signal }),
  node: (pubkey: string, signal?: Signal) => get('/api/nodes/{pubkey}', { path: { pubkey }, signal }),
  observers: (signal?: Signal) => get('/api/observers', { signal }),
  observer: (id: string, signal?: Signal) => get('/api/observers/{id}', { path: { id }, signal }),
  mqttStatus: (signal?: Signal) => get('/api/mqtt/status', { signal }),
  channels: (includeEncrypted: boolean, signal?: Signal) =>
    get('/api/channels', { query: { includeEncrypted }, signal }),
  messages: (hash: string, query: { limit: number; offset: number }, signal?: Signal) =>
    get('/api/channels/{hash}/messages', { path: { hash }, query, signal }),
  /** With the memory by structure. */
  perf: (signal?: Signal) => get('/api/perf', { query: { mem: 1 }, signal }),
  perfIo: (signal?: Signal) => get('/api/perf/io', { signal }),
  perfSqlite: (signal?: Signal) => get('/api/perf/sqlite', { signal }),
  writeSources: (signal?: Signal) => get('/api/perf/write-sources', { signal }),
  ingest: (signal?: Signal) => get('/api/ingest', { signal }),
  alerts: (limit: number, signal?: Signal) => get('/api/alerts', { query: { limit }, signal }),
  blackBox: (id: number, signal?: Signal) => get('/api/alerts/{id}/black-box', { path: { id }, signal }),
  testWebhooks: (key: string) => post('/api/alerts/test', { key }),
  ledger: (windowSecs: number, signal?: Signal) =>
    get('/api/perf/ledger', { query: { window: windowSecs }, signal }),
  series: (signal?: Signal) => get('/api/perf/series', { signal }),
  history: (query: HistoryQuery, signal?: Signal) => get('/api/perf/history', { query, signal }),
  jobs: (signal?: Signal) => get('/api/jobs', { signal }),
  orderJob: (name: string, action: JobAction, key: string) =>
    post('/api/jobs/{name}', { path: { name }, body: { action }, key }),
  health: (signal?: Signal) => get('/api/health', { signal }),
};
