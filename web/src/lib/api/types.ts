/** Short names for the shapes of the API, which are generated from its OpenAPI document. */
import type { components, operations } from './schema';

type Schemas = components['schemas'];

export type PacketRow = Schemas['PacketRow'];
export type LivePacket = Schemas['LivePacket'];
/** What a packet has in a list, whether it was fetched or came in live. */
export type Packet = Pick<PacketRow, keyof PacketRow & keyof LivePacket>;
export type ObservationRow = Schemas['ObservationRow'];
export type PacketQuery = NonNullable<operations['list_packets']['parameters']['query']>;
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

/** A page of packets as the list asks for it: plain rows, not grouped ones. */
export type PacketList = Omit<Schemas['PacketsResponse'], 'packets'> & { packets: PacketRow[] };
