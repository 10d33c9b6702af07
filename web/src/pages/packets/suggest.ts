/** What the filter offers for what is being typed. */
import type { ChannelRow, NodeRow, ObserverRow } from '../../lib/api/types';
import { KINDS, ROUTES } from '../../lib/packet/kinds';
import { FIELDS, type FilterField } from './filter';

export interface Suggestion {
  field: FilterField;
  /** What goes into the filter; empty when only the field has been chosen so far. */
  value: string;
  label: string;
  hint?: string;
  /** Payload type, for its mark. */
  kind?: number;
}

export interface Sources {
  observers: readonly ObserverRow[];
  channels: readonly ChannelRow[];
  nodes: readonly NodeRow[];
}

const HINTS: Record<FilterField, string> = {
  type: 'Advert, Channel text, Ack …',
  route: 'Flood, Direct …',
  observer: 'heard by',
  region: 'of the observer: SFO, OAK …',
  node: 'adverts of',
  channel: '#name',
  hash: '16 hex digits',
};

const MOST = 12;

export function suggest(typed: string, sources: Sources): Suggestion[] {
  const text = typed.trim();
  if (text === '') return FIELDS.map((field) => ({ field, value: '', label: field, hint: HINTS[field] }));
  const colon = /^([a-z]+)(?::|==?)\s*(.*)$/i.exec(text);
  const field = FIELDS.find((f) => f === colon?.[1]?.toLowerCase());
  if (field) return values(field, colon?.[2] ?? '', sources).slice(0, 40);
  const fields = FIELDS.filter((f) => f.startsWith(text.toLowerCase())).map((f) => ({
    field: f,
    value: '',
    label: f,
    hint: HINTS[f],
  }));
  return [...fields, ...FIELDS.flatMap((f) => values(f, text, sources).slice(0, 5))].slice(0, MOST);
}

function values(field: FilterField, text: string, sources: Sources): Suggestion[] {
  const wanted = text.toLowerCase();
  const has = (...parts: (string | null | undefined)[]) =>
    parts.some((part) => part?.toLowerCase().includes(wanted));
  switch (field) {
    case 'type':
      return KINDS.filter((k) => has(k.id, k.label)).map((k) => ({
        field,
        value: k.id,
        label: k.label,
        hint: k.id,
        kind: k.code,
      }));
    case 'route':
      return ROUTES.filter((r) => has(r.id, r.label)).map((r) => ({
        field,
        value: r.id,
        label: r.label,
        hint: r.id,
      }));
    case 'observer':
      return sources.observers
        .filter((o) => has(o.name, o.id))
        .map((o) => ({ field, value: o.id, label: o.name || o.id, hint: o.iata ?? '' }));
    case 'region':
      return regions(sources.observers)
        .filter((iata) => iata.toLowerCase().startsWith(wanted))
        .map((iata) => ({ field, value: iata, label: iata }));
    case 'channel':
      return sources.channels
        .filter((c) => has(c.name))
        .map((c) => ({ field, value: c.hash, label: c.name }));
    case 'node':
      return nodes(wanted, sources.nodes);
    case 'hash':
      return /^[0-9a-f]{16}$/.test(wanted) ? [{ field, value: wanted, label: wanted }] : [];
  }
}

function nodes(wanted: string, found: readonly NodeRow[]): Suggestion[] {
  const rows = found.map((n) => ({
    field: 'node' as const,
    value: n.public_key,
    label: n.name || n.public_key,
    hint: n.public_key.slice(0, 8),
  }));
  if (rows.length === 0 && /^[0-9a-f]{64}$/.test(wanted))
    return [{ field: 'node', value: wanted, label: wanted }];
  return rows;
}

function regions(observers: readonly ObserverRow[]): string[] {
  return [...new Set(observers.flatMap((o) => (o.iata ? [o.iata] : [])))].sort();
}
