// LiveKit's node selection (pkg/routing/selector) by bytes per second, asked for every viewer: the lowest, or the lower of two.

import type { Chooser } from '../chooser.ts';
import { Dice } from '../dice.ts';
import type { Ground } from '../world/ground.ts';
import type { Server } from '../world/plant.ts';
import type { Pathway } from '../world/viewer.ts';
import { phaseMs, Sight } from './sight.ts';
import { Star, to } from './star.ts';

export type LiveKitAlgorithm = 'lowest' | 'twochoice';

const STATS_MS = 2_000;
/** Bytes per second are a mean of 10 s. */
const WINDOW = 5;
const FRESH_MS = 5_000;

interface Node {
  readonly server: Server;
  /** As last read; a node without a rate yet counts as idle. */
  kbps: number;
  readAtMs: number;
  isServing: boolean;
}

export class LiveKit extends Star implements Chooser {
  readonly name: string;
  readonly lingerMs = 20_000;
  readonly #algorithm: LiveKitAlgorithm;
  readonly #ground: Ground;
  readonly #dice: Dice;
  readonly #nodes: readonly Node[];

  constructor(ground: Ground, algorithm: LiveKitAlgorithm) {
    super();
    this.name = `livekit-${algorithm}`;
    this.#algorithm = algorithm;
    this.#ground = ground;
    this.#dice = new Dice(ground.seed, this.name);
    const { events, plant } = ground;
    this.#nodes = plant.servers.map((server) => {
      const node: Node = { server, kbps: 0, readAtMs: 0, isServing: true };
      const sight = new Sight(server, WINDOW);
      const write = (): void => {
        if (server.isUp) node.kbps = sight.readKbps(events.nowMs);
        if (server.isUp) node.readAtMs = events.nowMs;
        node.isServing = server.isOpen;
      };
      events.every(STATS_MS, write, phaseMs(server, plant.servers, STATS_MS));
      return node;
    });
  }

  choose(): readonly Pathway[] {
    const { nowMs } = this.#ground.events;
    const available = this.#nodes.filter(
      ({ isServing, readAtMs }) => isServing && nowMs - readAtMs < FRESH_MS,
    );
    if (available.length === 0) return [];
    const node = this.#algorithm === 'lowest' ? lowest(available) : this.#lowerOfTwo(available);
    // The join is refused by the node's own statistics, which are as old.
    return node.kbps >= node.server.card.capacityKbps ? [] : to(node.server);
  }

  #lowerOfTwo(nodes: readonly Node[]): Node {
    const first = this.#dice.upTo(nodes.length);
    const second = (first + 1 + this.#dice.upTo(Math.max(1, nodes.length - 1))) % nodes.length;
    return lowest([nodes[first]!, nodes[second]!]);
  }
}

function lowest(nodes: readonly Node[]): Node {
  return nodes.reduce((best, node) => (node.kbps < best.kbps ? node : best));
}
