// The simulated world under one policy: viewers come, things happen, time passes, and all of it is measured.

import type { Chooser } from '../chooser.ts';
import { Dice } from '../dice.ts';
import { Measures } from '../measures/measures.ts';
import { Observer } from '../measures/observer.ts';
import type { Result } from '../measures/result.ts';
import type { Scenario } from '../scenario.ts';
import { arrivalsIn } from './arrivals.ts';
import { Copies } from './copies.ts';
import { Faults } from './faults.ts';
import { type Ground, prepareGround } from './ground.ts';
import { Level } from './level.ts';
import { Sessions } from './sessions.ts';
import { Viewer } from './viewer.ts';

/** Makes what decides, of the ground that it may look at. */
export type MakeChooser = (ground: Ground) => Chooser;

export class World {
  readonly ground: Ground;
  readonly copies: Copies;
  readonly sessions: Sessions;
  measures = new Measures(0, 0);
  readonly #chooser: Chooser;
  readonly #level = new Level();

  constructor(scenario: Scenario, seed: number, makeChooser: MakeChooser) {
    this.ground = prepareGround(scenario, seed);
    const { events, plant, streams } = this.ground;
    this.#chooser = makeChooser(this.ground);
    const { times } = scenario;
    const copies = { events, plant, times, dice: new Dice(seed, 'copies'), level: this.#level };
    this.copies = new Copies(copies, this.#chooser);
    const measures = (): Measures => this.measures;
    this.sessions = new Sessions({ events, plant, copies: this.copies, times, measures }, this.#chooser);
    new Faults({ scenario, events, plant, streams, copies: this.copies, sessions: this.sessions }).begin();
    this.#chooser.begin?.({
      obtain: (stream, server) => this.copies.obtain(stream, server),
      follow: (copy) => this.copies.follow(copy),
      release: (copy) => this.copies.release(copy),
      move: (viewer, pathways) => this.sessions.move(viewer, pathways),
    });
    this.#letViewersIn();
  }

  get policy(): string {
    return this.#chooser.name;
  }

  /** To the end of the scenario; `onMinute` hears of each that is over, those of the warm-up too. */
  run(onMinute: (minute: number) => void = () => {}): Result {
    const { ground, sessions } = this;
    const { warmupMinutes, minutes } = ground.scenario;
    const endMs = (warmupMinutes + minutes) * 60_000;
    this.#runTo(warmupMinutes, onMinute);
    this.measures = new Measures(ground.events.nowMs, endMs, sessions.here.size);
    const { measures } = this;
    const observer = new Observer({ ground, sessions, level: this.#level, measures });
    this.#runTo(warmupMinutes + minutes, onMinute);
    sessions.settle();
    return observer.result(this.#chooser.name);
  }

  #runTo(end: number, onMinute: (minute: number) => void): void {
    const { events } = this.ground;
    for (let minute = Math.floor(events.nowMs / 60_000); minute < end; ) {
      minute = Math.min(minute + 1, end);
      events.runUntil(minute * 60_000);
      onMinute(minute);
    }
  }

  /** Each who comes lets in the next. */
  #letViewersIn(): void {
    const arrivals = arrivalsIn(this.ground);
    let id = 0;
    const next = (): void => {
      const { value, done } = arrivals.next();
      if (done) return;
      const { atMs, stream, group, leavesAtMs } = value;
      this.ground.events.at(atMs, () => {
        this.sessions.arrive(new Viewer(id++, stream, group, atMs, leavesAtMs));
        next();
      });
    };
    next();
  }
}
