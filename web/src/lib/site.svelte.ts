import { api } from './api/api';
import { Resource } from './api/resource.svelte';

/** Thresholds used until the server has told its own; the same as its defaults. */
const OBSERVER_ONLINE_MS = 3_600_000;
const OBSERVER_STALE_MS = 86_400_000;

/** What wears out a disk does so over hours: a minute is soon enough for pages that are about something else. */
const ALERTS_MS = 60_000;

/** What the server says of itself, fetched once for all pages. */
class Site {
  readonly config = new Resource((signal) => api.clientConfig(signal));
  /** Whether anything is wrong, so that a reader of any page knows. */
  readonly alerts = new Resource((signal) => api.alerts(1, signal), ALERTS_MS);

  get demo(): boolean {
    return this.config.data?.demo === true;
  }

  get thresholds() {
    const t = this.config.data?.healthThresholds;
    return {
      infraDegraded: t?.infraDegradedMs ?? 86_400_000,
      infraSilent: t?.infraSilentMs ?? 259_200_000,
      nodeDegraded: t?.nodeDegradedMs ?? 3_600_000,
      nodeSilent: t?.nodeSilentMs ?? 86_400_000,
      observerOnline: t?.observerOnlineMs ?? OBSERVER_ONLINE_MS,
      observerStale: t?.observerStaleMs ?? OBSERVER_STALE_MS,
    };
  }
}

export const site = new Site();
