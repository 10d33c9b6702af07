/** One line about a packet: who, to whom, what. Texts of others are kept apart from our words, so that a page can isolate them. */

import { brief } from '../format';
import { advertRole, type Decoded, num, text } from './decoded';

export interface Summary {
  /** A name or text from the radio, to be shown isolated. */
  alien?: string;
  /** Before it, ours. */
  lead?: string;
  /** After it, ours. */
  tail?: string;
  /** Advertised role, shown as a mark. */
  role?: string;
  /** The content is encrypted and no key is known. */
  sealed?: boolean;
}

export function summarise(payloadType: number | null, decoded: Decoded): Summary {
  const error = text(decoded, 'error');
  if (error) return { lead: error };
  const known = payloadType === null ? undefined : BY_TYPE[payloadType];
  return known ? known(decoded) : {};
}

const BY_TYPE: Record<number, (decoded: Decoded) => Summary> = {
  0: betweenNodes,
  1: betweenNodes,
  2: betweenNodes,
  3: (d) => ({ lead: text(d, 'extraHash') ? `acknowledges ${text(d, 'extraHash')}` : '' }),
  4: advert,
  5: channelText,
  6: (d) => ({ lead: channelName(d), tail: sealedTail(d), sealed: isSealed(d) }),
  7: (d) => ({ lead: `${brief(text(d, 'ephemeralPubKey'))} → ${text(d, 'destHash') ?? '?'}`, sealed: true }),
  8: betweenNodes,
  9: (d) => ({ lead: `tag ${hex32(num(d, 'tag'))}` }),
  10: (d) => ({
    lead: [text(d, 'innerTypeName')?.toLowerCase(), text(d, 'innerAckCrc')].filter(Boolean).join(' '),
  }),
  11: control,
};

function betweenNodes(d: Decoded): Summary {
  const to = text(d, 'destHash');
  const from = text(d, 'srcHash');
  return to && from ? { lead: `${from} → ${to}`, sealed: true } : {};
}

function advert(d: Decoded): Summary {
  const name = text(d, 'name');
  const lat = num(d, 'lat');
  const lon = num(d, 'lon');
  const place =
    lat !== undefined && lon !== undefined && (lat !== 0 || lon !== 0)
      ? `${lat.toFixed(3)}, ${lon.toFixed(3)}`
      : undefined;
  const invalid = d.signatureValid === false ? 'bad signature' : undefined;
  return {
    role: advertRole(d),
    alien: name,
    lead: name ? undefined : brief(text(d, 'pubKey')),
    tail: [invalid, place].filter(Boolean).join(' · ') || undefined,
  };
}

function channelText(d: Decoded): Summary {
  const message = text(d, 'text');
  if (message === undefined) return { lead: channelName(d), sealed: true };
  return { lead: channelName(d), alien: message };
}

function channelName(d: Decoded): string {
  return text(d, 'channel') ?? `channel ${text(d, 'channelHashHex') ?? '?'}`;
}

function isSealed(d: Decoded): boolean {
  return text(d, 'decryptionStatus') !== 'decrypted';
}

function sealedTail(d: Decoded): string | undefined {
  const kind = num(d, 'dataType');
  return kind === undefined ? undefined : `data type ${kind}`;
}

function control(d: Decoded): Summary {
  const kind = text(d, 'ctrlSubtype');
  const key = text(d, 'ctrlPubKey');
  const words = CONTROL_WORDS[kind ?? ''] ?? kind?.toLowerCase();
  return { lead: [words, key ? `by ${brief(key)}` : undefined].filter(Boolean).join(' ') };
}

const CONTROL_WORDS: Record<string, string> = {
  DISCOVER_REQ: 'discover request',
  DISCOVER_RESP: 'discover response',
};

function hex32(n: number | undefined): string {
  return n === undefined ? '?' : n.toString(16).padStart(8, '0');
}
