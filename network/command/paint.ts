// Colours of text, as who writes it names them. Pure.

const COLOURS = ['bold', 'dim', 'red', 'green', 'yellow', 'cyan'] as const;

export type Paint = Readonly<Record<(typeof COLOURS)[number], (text: string) => string>>;

/** For whoever sees no colours. */
export const PLAIN = Object.fromEntries(
  COLOURS.map((colour) => [colour, (text: string) => text]),
) as unknown as Paint;
