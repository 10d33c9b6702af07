import { api } from '../../lib/api/api';
import { ApiError } from '../../lib/api/client';
import type { MessageRow } from '../../lib/api/types';

/** Messages of one request. */
const PAGE = 60;

/** The messages of one channel: the newest first to arrive, older ones as they are asked for. Oldest first in the list. */
export class ChatLog {
  rows: MessageRow[] = $state.raw([]);
  total = $state(0);
  at = $state(0);
  error: ApiError | undefined = $state.raw();
  older: 'idle' | 'loading' = $state('idle');

  private readonly controller = new AbortController();

  constructor(private readonly channel: string) {}

  get more(): boolean {
    return this.rows.length < this.total;
  }

  stop(): void {
    this.controller.abort();
  }

  /** Fetches the newest messages. Returns how many were not there yet. */
  async refresh(): Promise<number> {
    return this.merge(0);
  }

  async loadOlder(): Promise<void> {
    if (this.older === 'loading' || !this.more) return;
    this.older = 'loading';
    await this.merge(this.rows.length);
    this.older = 'idle';
  }

  /** New messages move the server's numbers, so pages may overlap: each message is kept once, by its packet. */
  private async merge(offset: number): Promise<number> {
    try {
      const list = await api.messages(this.channel, { limit: PAGE, offset }, this.controller.signal);
      if (this.controller.signal.aborted) return 0;
      const byHash = new Map(this.rows.map((row) => [row.packetHash, row]));
      const before = byHash.size;
      for (const row of list.messages) byHash.set(row.packetHash, row);
      this.rows = [...byHash.values()].sort((a, b) =>
        a.first_seen < b.first_seen ? -1 : a.first_seen > b.first_seen ? 1 : a.packetId - b.packetId,
      );
      this.total = list.total;
      this.at = Date.now();
      this.error = undefined;
      return byHash.size - before;
    } catch (error) {
      if (!this.controller.signal.aborted)
        this.error = error instanceof ApiError ? error : new ApiError(String(error), 0);
      return 0;
    }
  }
}
