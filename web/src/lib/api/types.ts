/** Short names for the shapes of the API, which are generated from its OpenAPI document. */
import type { components, operations } from './schema';

type Schemas = components['schemas'];

export type PacketRow = Schemas['PacketRow'];
/** The fields of live rows that the page asks for: those that its lists show. */
export const LIVE_FIELDS = [
  'observation_id',
  'id',
  'hash',
  'timestamp',
  'first_seen',
  'route_type',
  'payload_type',
  'observer_id',
  'observer_name',
  'observer_iata',
  'snr',
  'rssi',
  'path_json',
  'observation_count',
  'observer_count',
  'scope_name',
  'decoded_json',
  'raw_hex',
] as const satisfies readonly Schemas['RowField'][];
type LiveField = (typeof LIVE_FIELDS)[number];
/** An observation with its packet, as it comes in live. */
export type LivePacket = Required<Pick<Schemas['LiveRow'], LiveField>>;
/** What is told over the live socket and the page acts on. */
export type LiveTold = Extract<
  Schemas['ServerMessage'],
  { type: 'welcome' | 'subscribed' | 'observations' | 'missed' | 'error' }
>;
/** What a packet has in a list, whether it was fetched or came in live. */
export type Packet = Pick<PacketRow, keyof PacketRow & LiveField>;
export type ObservationRow = Schemas['ObservationRow'];
export type PacketQuery = NonNullable<operations['list_packets']['parameters']['query']>;
export type FilterFields = Schemas['FilterFieldsResponse'];
export type NodeQuery = NonNullable<operations['list_nodes']['parameters']['query']>;
export type NodeRow = Schemas['NodeRow'];
export type ObserverRow = Schemas['ObserverRow'];
export type ChannelRow = Schemas['ChannelRow'];
export type MessageRow = Schemas['ChannelMessageRow'];
export type MqttSource = Schemas['MqttSourceRow'];
export type Perf = Schemas['PerfResponse'];
export type SlowQuery = Schemas['SlowQuery'];
export type IoPerf = Schemas['IoRates'];
export type SqlitePerf = Schemas['SqliteResponse'];
export type WriteSources = Schemas['WriteSourcesSnapshot'];
export type Health = Schemas['HealthResponse'];
export type Ingest = Schemas['IngestReport'];
export type Count = Schemas['Count'];
export type ProcessIo = Schemas['ProcessIo'];
export type WriterPerf = Schemas['WriterPerf'];
export type Alerts = Schemas['AlertsReport'];
export type AlertEvent = Schemas['AlertEvent'];
export type Flag = Schemas['Flag'];
export type Level = Schemas['Level'];
export type Thresholds = Schemas['Thresholds'];
export type Webhook = Schemas['WebhookState'];
export type Delivery = Schemas['Delivery'];
export type Ledger = Schemas['Ledger'];
export type ProcessLedger = Schemas['ProcessLedger'];
export type Stage = Schemas['Stage'];
export type Wear = Schemas['Wear'];
export type Jobs = Schemas['JobsReport'];
export type Job = Schemas['JobReport'];
export type JobAction = Schemas['JobAction'];
export type History = Schemas['HistoryAnswer'];
export type SeriesValues = Schemas['SeriesValues'];
export type SeriesReading = Schemas['SeriesReading'];
export type SeriesKind = Schemas['SeriesKind'];
export type Unit = Schemas['Unit'];
export type HistoryQuery = NonNullable<operations['perf_history']['parameters']['query']>;

/** A page of packets as the list asks for it: plain rows, not grouped ones. */
export type PacketList = Omit<Schemas['PacketsResponse'], 'packets'> & { packets: PacketRow[] };
