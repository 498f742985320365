// The dialog of what to hand on: the page, the player for other pages, addresses for other players.

import { part } from './dom.ts';
import { showLines } from './line-view.ts';
import { watchLines } from './lines.ts';

export function offerSharing(root: ParentNode, stream: string): void {
  const dialog = part<HTMLDialogElement>(root, 'share');
  showLines(watchLines(location.origin, stream));
  part(root, 'share-open').addEventListener('click', () => dialog.showModal());
}
