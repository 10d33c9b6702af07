import { ApiError } from '../../lib/api/client';

type Order = (key: string) => Promise<string>;

/** Kept as long as the tab is open: whoever comes to this computer tomorrow has to know it again. */
const KEY = 'mca.api-key';

/** Who may pause jobs: asks for the API key when the server wants one, and says plainly why something was not done. */
class Operator {
  /** Whether the key is being asked for. */
  asking = $state(false);
  /** Why the key was not taken. */
  refused = $state('');
  /** What was done last, or why it was not. */
  said = $state('');
  failed = $state(false);
  busy = $state(false);

  private pending: Order | undefined;

  /** Does it, with the key that is known. Without one the server is asked first, since it may have none at all. */
  async give(order: Order): Promise<void> {
    this.pending = order;
    this.refused = '';
    await this.attempt(read());
  }

  async use(key: string): Promise<void> {
    await this.attempt(key.trim());
  }

  cancel(): void {
    this.pending = undefined;
    this.asking = false;
  }

  private async attempt(key: string): Promise<void> {
    const order = this.pending;
    if (!order || this.busy) return;
    this.busy = true;
    this.said = '';
    try {
      this.said = await order(key);
      this.failed = false;
      this.asking = false;
      keep(key);
    } catch (error) {
      this.fail(error, key);
    }
    this.busy = false;
  }

  private fail(error: unknown, key: string): void {
    if (error instanceof ApiError && error.status === 401) {
      keep('');
      this.refused = key === '' ? '' : 'The server has refused this key.';
      this.asking = true;
      return;
    }
    this.asking = false;
    this.failed = true;
    this.said = reasonOf(error);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof ApiError)) return `Not done: ${String(error)}.`;
  if (error.status !== 403) return `Not done: ${error.message}.`;
  return /apiKey/.test(error.message)
    ? 'Not done: this server has no API key, so nothing can be changed from here. Set "apiKey" in its config.json and start it again.'
    : 'Not done: the API key of this server is too weak. Set a longer one in its config.json and start it again.';
}

function read(): string {
  try {
    return sessionStorage.getItem(KEY) ?? '';
  } catch {
    return '';
  }
}

function keep(key: string): void {
  try {
    if (key === '') sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, key);
  } catch {
    // Without storage the key is asked for each time.
  }
}

export const operator = new Operator();
