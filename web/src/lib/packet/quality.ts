/**
 * Lower ends of the levels, in dB. LoRa at SF 10–12 is still decoded some 15 to 20 dB below the noise; from about +10 on, more does not help.
 */
const LEVELS = [-12, -5, 2, 9];

/** Signal quality from 0 (barely decoded) to 4 (as good as it gets). */
export function quality(snrDb: number | null): number {
  return snrDb === null ? 0 : LEVELS.filter((from) => snrDb >= from).length;
}
