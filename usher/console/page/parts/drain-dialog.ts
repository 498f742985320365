// Draining a server and putting it back to use: asked for once more, because viewers and broadcasts are moved.

import { element, part } from '../../../player/page/dom.ts';
import type { DrainFigures, ServerFigures } from '../../messages.ts';
import { endDrain, orderDrain } from '../feed/ask.ts';
import { showBar } from '../table/columns.ts';
import { setData, setText } from './dom.ts';
import { counted, countOf, lasting, timeOfDay } from './format.ts';

interface Order {
  readonly title: string;
  readonly text: string;
  readonly button: string;
  readonly isDrain: boolean;
}

export class DrainDialog {
  readonly #dialog = part<HTMLDialogElement>(document, 'drain');
  readonly #form = part<HTMLFormElement>(document, 'drain-form');
  readonly #problem = part(document, 'drain-problem');
  #server = '';
  #order: Order | undefined;

  constructor() {
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#send();
    });
    part(document, 'drain-cancel').addEventListener('click', () => this.#dialog.close());
  }

  ask(id: string, server: ServerFigures): void {
    this.#server = id;
    this.#order = orderOf(id, server);
    const { title, text, button, isDrain } = this.#order;
    this.#form.reset();
    setText(part(document, 'drain-title'), title);
    setText(part(document, 'drain-text'), text);
    setText(part(document, 'drain-do'), button);
    setText(this.#problem, '');
    part(document, 'drain-deadline').hidden = !isDrain;
    this.#dialog.showModal();
  }

  async #send(): Promise<void> {
    const minutes = new FormData(this.#form).get('minutes');
    const deadlineS = minutes === null || minutes === '' ? undefined : Number(minutes) * 60;
    try {
      await (this.#order?.isDrain ? orderDrain(this.#server, deadlineS) : endDrain(this.#server));
      this.#dialog.close();
    } catch (error) {
      setText(this.#problem, error instanceof Error ? error.message : String(error));
    }
  }
}

/** A button that opens the dialog; none where the server's own process wants it emptied. */
export function showDrainButton(
  parent: HTMLElement,
  id: string,
  server: ServerFigures,
  ask: (id: string, server: ServerFigures) => void,
): void {
  const button = (parent.querySelector('button') ?? parent.appendChild(drainButton())) as DrainButton;
  button.hidden = server.isDead === true || server.drain?.isWished === false;
  setText(button, server.drain ? 'Undrain' : 'Drain');
  const words = `${server.drain ? 'Undrain' : 'Drain'} ${id}`;
  if (button.ariaLabel !== words) button.ariaLabel = words;
  button.onclick = () => ask(id, server);
}

type DrainButton = HTMLButtonElement;

/** What is left of what was there when this page first saw the drain. */
const mostLeft = new Map<string, number>();

/** How far a drain is, in a box of its own. */
export function showDrain(
  box: HTMLElement,
  id: string,
  { drain, isDead }: ServerFigures,
  nowMs: number,
): void {
  const state = isDead ? 'dead' : !drain ? 'well' : leftOf(drain) === 0 ? 'empty' : 'drains';
  setData(box, 'state', state);
  if (!drain || isDead) {
    box.replaceChildren(...(isDead ? ['silent'] : []));
    return;
  }
  const key = `${id} ${drain.sinceMs}`;
  const left = leftOf(drain);
  const most = Math.max(left, mostLeft.get(key) ?? 0, 1);
  mostLeft.set(key, most);
  if (!box.firstElementChild) box.replaceChildren(element('span', 'progress'), element('span', 'left'));
  showBar(box.querySelector('.progress')!, 1 - left / most, `draining ${lasting(nowMs - drain.sinceMs)}`);
  setText(box.querySelector('.left')!, left === 0 ? 'empty' : leftText(drain));
}

function drainButton(): HTMLButtonElement {
  const button = element('button', 'small');
  button.type = 'button';
  return button;
}

function leftOf({ viewers, children, broadcasts }: DrainFigures): number {
  return viewers + children + broadcasts;
}

function leftText({ viewers, children, broadcasts, deadlineMs }: DrainFigures): string {
  const words = [
    viewers > 0 ? countOf(viewers, 'viewer') : '',
    children > 0 ? `${counted(children)} copied from it` : '',
    broadcasts > 0 ? countOf(broadcasts, 'broadcast') : '',
  ].filter((word) => word);
  return `${words.join(', ')} left${deadlineMs === undefined || broadcasts === 0 ? '' : `, until ${timeOfDay(deadlineMs)}`}`;
}

function orderOf(id: string, { drain, viewers, roles }: ServerFigures): Order {
  if (drain)
    return {
      title: `Put ${id} back to use?`,
      text: 'Viewers and copies of streams come to it again.',
      button: 'Undrain',
      isDrain: false,
    };
  const sentences = [
    'Nobody new is sent here.',
    viewers > 0 ? `Its ${countOf(viewers, 'viewer')} move to other servers without an interruption.` : '',
    roles.includes('origin') ? 'Broadcasts that come in here stay until they end.' : '',
  ];
  return {
    title: `Drain ${id}?`,
    text: sentences.filter((sentence) => sentence).join(' '),
    button: 'Drain',
    isDrain: true,
  };
}
