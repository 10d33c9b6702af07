import type { LivePacket } from '../../lib/api/types';

/** Packets that are remembered. Copies of a packet come within seconds. */
const PACKETS = 400;

/** Copies that are remembered of one packet; of one that was heard more often, only the server can tell what `any(…)` wants to know. */
const COPIES = 32;

/** The packets that came in lately, each with its copies, so that a filter can be asked about packets and not only about copies. */
export class Recent {
  private readonly byHash = new Map<string, LivePacket[]>();

  /** The copies of its packet, in the order in which they were heard. */
  add(packet: LivePacket): readonly LivePacket[] {
    const copies = this.byHash.get(packet.hash) ?? [];
    if (copies.some((copy) => copy.observation_id === packet.observation_id)) return copies;
    // The newest stands for all beyond: its count says that some are missing.
    if (copies.length >= COPIES) copies.pop();
    copies.push(packet);
    this.byHash.set(packet.hash, copies);
    const oldest = this.byHash.size > PACKETS ? this.byHash.keys().next().value : undefined;
    if (oldest !== undefined) this.byHash.delete(oldest);
    return copies;
  }
}
