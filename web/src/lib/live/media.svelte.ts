/** A media query as state. */
class Media {
  matches = $state(false);

  constructor(query: string) {
    const list = window.matchMedia(query);
    this.matches = list.matches;
    list.addEventListener('change', () => {
      this.matches = list.matches;
    });
  }
}

/** One column, cards instead of tables, a bar at the bottom instead of the rail. */
export const phone = new Media('(max-width: 719px)');

/** Room for a list and its detail side by side. */
export const wide = new Media('(min-width: 1100px)');

export const calm = new Media('(prefers-reduced-motion: reduce)');
