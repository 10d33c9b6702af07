/** Reads the server's `decoded_json`. It came over the air: every value is taken only if it has the type expected. */

export type Decoded = Readonly<Record<string, unknown>>;

const NOTHING: Decoded = {};

export function parseDecoded(json: string | null | undefined): Decoded {
  if (!json) return NOTHING;
  try {
    const value: unknown = JSON.parse(json);
    return isRecord(value) ? value : NOTHING;
  } catch {
    return NOTHING;
  }
}

export function parseHops(json: string | null | undefined): string[] {
  if (!json) return [];
  try {
    const value: unknown = JSON.parse(json);
    return Array.isArray(value) ? value.filter((hop) => typeof hop === 'string') : [];
  } catch {
    return [];
  }
}

export function text(decoded: Decoded, key: string): string | undefined {
  const value = decoded[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function num(decoded: Decoded, key: string): number | undefined {
  const value = decoded[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Role of an advert, from its flags. */
export function advertRole(decoded: Decoded): string | undefined {
  const flags = decoded.flags;
  if (!isRecord(flags)) return undefined;
  return (
    ['repeater', 'room', 'sensor'].find((name) => flags[name] === true) ??
    (flags.chat === true ? 'companion' : undefined)
  );
}
