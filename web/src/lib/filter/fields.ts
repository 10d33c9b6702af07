/** The fields of the packet filter language; `crates/filter/vectors.jsonl` holds this table against the server's. */

export type Kind = 'text' | 'texts' | 'number' | 'time' | 'age' | 'flag' | 'payload_type' | 'route';

export interface Field {
  /** The name under which it is printed. */
  name: string;
  kind: Kind;
  /** Whether observations of one packet may differ in it. */
  heard: boolean;
}

/** The operators that are words. */
export const WORD_OPERATORS: readonly string[] = [
  'contains',
  'starts_with',
  'ends_with',
  'after',
  'before',
  'between',
  'in',
];

const TABLE = `
type/payload_type payload_type
route/route_type route*
transport flag
hash text
raw/raw_hex text
size number
payload_bytes number
payload_hex text
observations/observation_count number
observers/observer_count number
code1 text
code2 text
scope/scope_name text
channel text
sender text
text text
node/from texts
role text
time/timestamp/first_seen time*
age age*
latest/last_seen time
observer/observer_name text*
observer_id text*
observer_iata/iata/region text*
snr number*
rssi number*
hops/hop_count number*
hash_size/hb number*
path/path_prefixes texts*
routed_through texts*
payload.name text
payload.pubKey text
payload.timestamp number
payload.lat number
payload.lon number
payload.flags.type number
payload.flags.chat flag
payload.flags.repeater flag
payload.flags.room flag
payload.flags.sensor flag
payload.flags.hasLocation flag
payload.flags.hasName flag
payload.channel text
payload.channelHash number
payload.channelHashHex text
payload.decryptionStatus text
payload.sender text
payload.text text
payload.sender_timestamp number
payload.destHash text
payload.srcHash text
payload.ephemeralPubKey text
payload.extraHash text
payload.ackLen number
payload.tag number
payload.authCode number
payload.traceFlags number
payload.remaining number
payload.innerType number
payload.innerTypeName text
payload.ctrlFlags text
payload.ctrlSubtype text
payload.ctrlZeroHop flag
payload.ctrlTag number
payload.ctrlNodeType number
payload.ctrlPubKey text
payload.rawLength number
payload.firstByteTag text`;

const byName = new Map<string, Field>();

for (const line of TABLE.trim().split('\n')) {
  const [names = '', kind = ''] = line.split(' ');
  const [name = '', ...aliases] = names.split('/');
  const field = { name, kind: kind.replace('*', '') as Kind, heard: kind.endsWith('*') };
  for (const known of [name, ...aliases]) byName.set(known.toLowerCase(), field);
}

export function findField(name: string): Field | undefined {
  return byName.get(name.toLowerCase());
}

/** Every name with its field, for the test that compares the table with the server's. */
export function allNames(): ReadonlyMap<string, Field> {
  return byName;
}

/** The name most like a text that is none; undefined when nothing is like it. */
export function closest(text: string, names: Iterable<string>): string | undefined {
  const wanted = text.toLowerCase();
  if (wanted.length > 40) return undefined;
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const name of names) {
    const far = distance(wanted, name.toLowerCase());
    if (far < least) [least, best] = [far, name];
  }
  return best !== undefined && least * 3 <= Math.max(best.length, 3) ? best : undefined;
}

export function fieldLike(text: string): string | undefined {
  const names = TABLE.trim()
    .split('\n')
    .flatMap((line) => line.split(' ')[0]?.split('/') ?? []);
  return closest(text, names);
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let before = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const row = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const change = (before[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      row.push(Math.min(change, (before[j + 1] ?? 0) + 1, (row[j] ?? 0) + 1));
    }
    before = row;
  }
  return before[b.length] ?? 0;
}
