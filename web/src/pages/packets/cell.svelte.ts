import type { Packet } from '../../lib/api/types';
import { parseDecoded, parseHops } from '../../lib/packet/decoded';
import { type Summary, summarise } from '../../lib/packet/summary';

/** One row of the list: changes by itself when another observer hears the packet, without the list noticing. */
export class Cell {
  data: Packet = $state.raw({} as Packet);

  private cachedFor: string | null | undefined;
  private cachedSummary: Summary = {};

  constructor(row: Packet) {
    this.data = row;
  }

  /** The row of a packet of which these copies came in, in this order. */
  static of(copies: readonly Packet[]): Cell {
    const [first, ...others] = copies;
    const cell = new Cell(first ?? ({} as Packet));
    for (const copy of others) cell.merge(copy);
    return cell;
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
  replace(row: Packet): void {
    this.data = row;
  }

  /** One more observation: the row shows the copy with the longest path, as the server's rows do. */
  merge(seen: Packet): void {
    const longer = parseHops(seen.path_json).length > this.hops.length;
    const shown = longer ? seen : this.data;
    this.data = {
      ...shown,
      id: this.data.id,
      raw_hex: this.data.raw_hex,
      route_type: this.data.route_type,
      first_seen: this.data.first_seen,
      timestamp: this.data.timestamp,
      decoded_json: this.data.decoded_json,
      observation_count: Math.max(seen.observation_count, this.data.observation_count),
      observer_count: Math.max(seen.observer_count, this.data.observer_count),
    };
  }
}
