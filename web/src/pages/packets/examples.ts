/** Expressions to start from, and what they find. */
export const EXAMPLES: readonly (readonly [expression: string, meaning: string])[] = [
  ['type == ADVERT && any(snr > 5)', 'adverts that some observer heard well'],
  ['payload.name contains "hill"', 'adverts of nodes with hill in their names'],
  ['channel == #test && text ~ "hello|hi"', 'texts to #test that greet'],
  ['hops >= 3 && route == FLOOD', 'floods that came a long way'],
  ['observers >= 3 && age < 1h', 'what three observers heard in the last hour'],
  ['any(rssi < -115) && !transport', 'unscoped packets that somebody barely heard'],
];
