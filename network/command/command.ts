// What a command of the command line is: words for its help, what it takes, and one function. Pure.

import type { Paint } from './paint.ts';
import type { Terminal } from './terminal.ts';

/** By its name in camel case: `dryRun` is `--dry-run`. Without `value` it is a switch. */
export interface Option {
  readonly help: string;
  /** What it takes, as `<url>`. */
  readonly value?: string;
  readonly default?: string;
  /** A switch that is on, and that `--no-...` turns off. */
  readonly isOn?: true;
}

export type Options = Readonly<Record<string, Option>>;

/** Something to type, and what comes of it. */
export type Example = readonly [line: string, what: string];

/** What somebody typed: arguments and options by their names. A switch that was not given is undefined. */
export type Given<Names extends string, Known extends Options> = Readonly<Record<Names, string>> & {
  readonly [Name in keyof Known]: Known[Name] extends { readonly value: string }
    ? Known[Name] extends { readonly default: string }
      ? string
      : string | undefined
    : boolean | undefined;
};

/** What came of a command: `value` for programs (`--json`), `text` for people, painted if they see colours. */
export interface Outcome {
  readonly value: unknown;
  readonly text: string | ((paint: Paint) => string);
  /** 0 when it is not given. */
  readonly exitCode?: number;
}

export interface Command<Names extends string = string, Known extends Options = Options> {
  readonly name: string;
  readonly summary: string;
  /** What the summary leaves out, in the help. */
  readonly details?: string;
  /** In their order, each with what it is. */
  readonly arguments?: Readonly<Record<Names, string>>;
  readonly options?: Known;
  readonly examples: readonly Example[];
  /** Runs until it is told to stop, and says what it has to say in its log. */
  readonly isService?: boolean;
  run(given: Given<Names, Known>, terminal: Terminal): Promise<Outcome | undefined>;
}

/** Commands behind a common word, as `keys make`. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly Command[];
}

/** A command whose function knows the types of what it is given. */
export function defineCommand<const Names extends string = never, const Known extends Options = never>(
  command: Command<Names, Known>,
): Command {
  return command as unknown as Command;
}
