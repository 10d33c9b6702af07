import { ApiError } from './client';

type Loader<T> = (signal: AbortSignal) => Promise<T>;

/** Data that is fetched, shown while it is fetched again, and never replaced by an error: old data with a warning beats none. */
export class Resource<T> {
  data: T | undefined = $state.raw();
  error: ApiError | undefined = $state.raw();
  loading = $state(false);
  /** When the data came, in milliseconds since 1970; 0 before. */
  at = $state(0);

  private controller: AbortController | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private loader: Loader<T>,
    /** Fetch again after so many milliseconds, as long as the page can be seen. */
    private every = 0,
  ) {}

  /** Fetches something else, and that often, from the next start on. */
  set(loader: Loader<T>, every: number): void {
    this.loader = loader;
    this.every = every;
  }

  /** Starts fetching; the function returned stops it. For `$effect`. */
  start(): () => void {
    const seen = () => {
      if (document.hidden) clearTimeout(this.timer);
      else if (this.every > 0 && Date.now() - this.at >= this.every) void this.refresh();
      else this.plan();
    };
    document.addEventListener('visibilitychange', seen);
    void this.refresh();
    return () => {
      document.removeEventListener('visibilitychange', seen);
      clearTimeout(this.timer);
      this.controller?.abort();
    };
  }

  /** Fetches something else from now on. What is shown stays until the answer comes, unless `clear` is wanted. */
  use(loader: Loader<T>, keep: 'keep' | 'clear' = 'keep'): Promise<void> {
    this.loader = loader;
    if (keep === 'clear') {
      this.data = undefined;
      this.at = 0;
    }
    return this.refresh();
  }

  /** Gives up what is being fetched and fetches no more by itself. */
  stop(): void {
    clearTimeout(this.timer);
    this.controller?.abort();
  }

  async refresh(): Promise<void> {
    this.controller?.abort();
    clearTimeout(this.timer);
    const controller = new AbortController();
    this.controller = controller;
    this.loading = true;
    try {
      const data = await this.loader(controller.signal);
      if (controller.signal.aborted) return;
      this.data = data;
      this.at = Date.now();
      this.error = undefined;
    } catch (error) {
      if (controller.signal.aborted) return;
      this.error = error instanceof ApiError ? error : new ApiError(String(error), 0);
    }
    this.loading = false;
    this.plan();
  }

  private plan(): void {
    clearTimeout(this.timer);
    if (this.every > 0 && !document.hidden) this.timer = setTimeout(() => void this.refresh(), this.every);
  }
}
