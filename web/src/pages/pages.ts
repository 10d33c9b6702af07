import type { Component } from 'svelte';
import type { PageName } from '../lib/route/route';
import type { IconName } from '../lib/ui/icons';

export interface PageInfo {
  name: PageName;
  label: string;
  /** The question it answers; also how the rail is grouped. */
  group: 'Now' | 'Network' | 'Messages' | 'System';
  icon: IconName;
  /** Second key after "g". */
  key: string;
  load: () => Promise<{ default: Component }>;
}

export const PAGES: readonly PageInfo[] = [
  {
    name: 'packets',
    label: 'Packets',
    group: 'Now',
    icon: 'packets',
    key: 'p',
    load: () => import('./packets/PacketsPage.svelte'),
  },
  {
    name: 'nodes',
    label: 'Nodes',
    group: 'Network',
    icon: 'nodes',
    key: 'n',
    load: () => import('./nodes/NodesPage.svelte'),
  },
  {
    name: 'observers',
    label: 'Observers',
    group: 'Network',
    icon: 'observers',
    key: 'o',
    load: () => import('./observers/ObserversPage.svelte'),
  },
  {
    name: 'channels',
    label: 'Channels',
    group: 'Messages',
    icon: 'channels',
    key: 'c',
    load: () => import('./channels/ChannelsPage.svelte'),
  },
  {
    name: 'perf',
    label: 'Performance',
    group: 'System',
    icon: 'perf',
    key: 's',
    load: () => import('./perf/PerfPage.svelte'),
  },
];

export const GROUPS = ['Now', 'Network', 'Messages', 'System'] as const;
