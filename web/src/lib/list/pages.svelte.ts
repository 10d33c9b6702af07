import { ApiError } from '../api/client';

export interface Page<T> {
  rows: T[];
  total: number;
}

type Loader<T> = (offset: number, limit: number, signal: AbortSignal) => Promise<Page<T>>;

const PAGE = 100;

/** Time for a scroll to come to rest before its rows are asked for. */
const SETTLE_MS = 40;

/** A long list that changes slowly, fetched in pages where the reader looks. */
export class Pages<T> {
  total = $state(0);
  at = $state(0);
  error: ApiError | undefined = $state.raw();

  private version = $state(0);
  private readonly pages = new Map<number, T[]>();
  private readonly coming = new Set<number>();
  private loader: Loader<T> | undefined;
  private controller = new AbortController();
  private wanted = { start: 0, end: 1 };
  private settle: ReturnType<typeof setTimeout> | undefined;

  row(index: number): T | undefined {
    return this.version >= 0 ? this.pages.get(Math.floor(index / PAGE))?.[index % PAGE] : undefined;
  }

  /** Every row that is here, in no promised order. */
  get here(): T[] {
    return this.version >= 0 ? [...this.pages.values()].flat() : [];
  }

  /** Starts over with another question. */
  async open(loader: Loader<T>): Promise<void> {
    this.loader = loader;
    await this.refresh();
  }

  /** Asks again; what is shown stays until the answer comes. */
  async refresh(): Promise<void> {
    this.controller.abort();
    this.controller = new AbortController();
    this.coming.clear();
    const first = Math.floor(this.wanted.start / PAGE);
    const page = this.at === 0 ? 0 : first;
    const got = await this.fetch(page);
    if (!got) return;
    this.pages.clear();
    this.put(page, got);
    if (this.wanted.end > (page + 1) * PAGE || got.rows.length === 0) this.load();
  }

  stop(): void {
    this.controller.abort();
    clearTimeout(this.settle);
  }

  need(start: number, end: number): void {
    this.wanted = { start, end };
    clearTimeout(this.settle);
    this.settle = setTimeout(() => this.load(), SETTLE_MS);
  }

  private load(): void {
    if (this.at === 0 || this.total === 0) return;
    const last = Math.floor((Math.min(this.wanted.end, this.total) - 1) / PAGE);
    for (let page = Math.floor(this.wanted.start / PAGE); page <= last; page += 1) void this.loadPage(page);
  }

  private async loadPage(page: number): Promise<void> {
    if (this.pages.has(page) || this.coming.has(page)) return;
    this.coming.add(page);
    const got = await this.fetch(page);
    this.coming.delete(page);
    if (got) this.put(page, got);
  }

  private put(page: number, got: Page<T>): void {
    this.pages.set(page, got.rows);
    this.total = got.total;
    this.at = Date.now();
    this.version += 1;
  }

  private async fetch(page: number): Promise<Page<T> | undefined> {
    const { controller, loader } = this;
    if (!loader) return undefined;
    try {
      const got = await loader(page * PAGE, PAGE, controller.signal);
      if (controller.signal.aborted) return undefined;
      this.error = undefined;
      return got;
    } catch (error) {
      if (!controller.signal.aborted)
        this.error = error instanceof ApiError ? error : new ApiError(String(error), 0);
      return undefined;
    }
  }
}
