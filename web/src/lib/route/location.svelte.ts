import { href, type PageName, parseRoute, type Route } from './route';

/** Where the reader is. Changed by links, by the browser's buttons and by `go`. */
class Location {
  current: Route = $state.raw(parseRoute(window.location.hash));

  constructor() {
    window.addEventListener('hashchange', () => this.read());
  }

  /** Opens a page as a new step of the history. */
  go(page: PageName, item = '', query: Readonly<Record<string, string | undefined>> = {}): void {
    this.open(href(page, item, query), false);
  }

  /** Changes the address without a new step: for filters being typed, and rows being walked through. */
  replace(page: PageName, item = '', query: Readonly<Record<string, string | undefined>> = {}): void {
    this.open(href(page, item, query), true);
  }

  private open(to: string, replace: boolean): void {
    if (to === window.location.hash) return;
    // `pushState` fires no `hashchange`: the new address is read at once, in the same frame.
    if (replace) window.history.replaceState(null, '', to);
    else window.history.pushState(null, '', to);
    this.read();
  }

  private read(): void {
    this.current = parseRoute(window.location.hash);
  }
}

export const location = new Location();
