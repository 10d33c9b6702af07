import type { PacketRow } from '../../lib/api/types';
import { parseDecoded, parseHops } from '../../lib/packet/decoded';
import { type Summary, summarise } from '../../lib/packet/summary';

/** One row of the list: changes by itself when another observer hears the packet, without the list noticing. */
export class Cell {
  data: PacketRow = $state.raw({} as PacketRow);

  private cachedFor: string | null | undefined;
  private cachedSummary: Summary = {};

  constructor(row: PacketRow) {
    this.data = row;
  }

  get hops(): string[] {
    return parseHops(this.data.path_json);
  }

  get summary(): Summary {
    const { decoded_json, payload_type } = this.data;
    if (this.cachedFor !== decoded_json) {
      this.cachedFor = decoded_json;
      this.cachedSummary = summarise(payload_type, parseDecoded(decoded_json));
    }
    return this.cachedSummary;
  }

  /** The server's word on the whole row. */
  replace(row: PacketRow): void {
    this.data = row;
  }

  /** One more observation: the row shows the copy with the longest path, as the server's rows do. */
  merge(seen: PacketRow): void {
    const longer = parseHops(seen.path_json).length > this.hops.length;
    const shown = longer ? seen : this.data;
    this.data = {
      ...shown,
      id: this.data.id,
      first_seen: this.data.first_seen,
      timestamp: this.data.timestamp,
      decoded_json: this.data.decoded_json,
      observation_count: Math.max(seen.observation_count, this.data.observation_count),
      observer_count: Math.max(seen.observer_count ?? 0, this.data.observer_count ?? 0),
    };
  }
}
