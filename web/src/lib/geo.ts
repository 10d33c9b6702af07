/** Distances on the ground, well enough for a few hundred kilometres. */

export interface Place {
  lat: number;
  lon: number;
}

const KM_PER_DEGREE = 111.32;

/** A location that means something: set, in range, and not the 0,0 of a receiver without a fix. */
export function place(lat: number | null | undefined, lon: number | null | undefined): Place | undefined {
  if (lat === null || lat === undefined || lon === null || lon === undefined) return undefined;
  if (Math.abs(lat) > 90 || Math.abs(lon) > 180 || (Math.abs(lat) < 0.01 && Math.abs(lon) < 0.01))
    return undefined;
  return { lat, lon };
}

/** Kilometres east and north of a centre, on the plane that touches the ground there. */
export function offsetKm(from: Place, to: Place): { x: number; y: number } {
  const around = ((to.lon - from.lon + 540) % 360) - 180;
  return {
    x: around * KM_PER_DEGREE * Math.cos((from.lat * Math.PI) / 180),
    y: (to.lat - from.lat) * KM_PER_DEGREE,
  };
}

export function distanceKm(from: Place, to: Place): number {
  const { x, y } = offsetKm(from, to);
  return Math.hypot(x, y);
}

/** The largest of 1, 2 and 5 times a power of ten that is not above a length: for scale bars and rings. */
export function roundKm(km: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(km, 0.001)));
  return [5, 2, 1].map((step) => step * power).find((step) => step <= km) ?? power;
}
