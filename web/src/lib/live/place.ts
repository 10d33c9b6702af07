import type { Message } from './message';

/** More than this is fetched as a list rather than taken one by one. */
const MOST_RESUMED = 500;

/** What a connection does after a greeting. */
export interface Start {
  /** Where to resume from; `undefined` when there is nothing to resume, or too much. */
  resume: number | undefined;
  /** What happened meanwhile has to be fetched. */
  gap: boolean;
}

/** Where in the sequence of observations the page is: the one thing that outlives a connection. */
export class Place {
  /** The number up to which everything has come; `undefined` before the first subscription. */
  private seq: number | undefined;

  /** The server may be another one, or may have lost what it had not stored: then its numbers are behind ours. */
  start(newest: number): Start {
    if (this.seq === undefined) return { resume: undefined, gap: false };
    const behind = newest - this.seq;
    if (behind < 0 || behind > MOST_RESUMED) {
      this.seq = undefined;
      return { resume: undefined, gap: true };
    }
    return { resume: this.seq, gap: false };
  }

  /** Moves on with what has been told. */
  told(message: Message): void {
    if (message.type === 'subscribed') this.seq ??= message.seq;
    else if (message.type === 'observations' || message.type === 'missed') this.seq = message.to;
  }
}
