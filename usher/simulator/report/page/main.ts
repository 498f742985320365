// Puts the page together: who is shown in the curves, and which moment of which tree.

import type UPlot from 'uplot';
import { CurvePlots, colourOf } from './curves.ts';
import { readData, timeOf } from './data.ts';
import { drawTree } from './tree.ts';

declare const uPlot: typeof UPlot;

const data = readData();
const plots = new CurvePlots(document.getElementById('curves')!, data, uPlot);

for (const [index, { policy }] of data.policies.entries()) {
  const box = document.createElement('input');
  box.type = 'checkbox';
  box.checked = true;
  box.addEventListener('change', () => plots.show(index, box.checked));
  const label = document.createElement('label');
  label.style.setProperty('--colour', colourOf(index));
  label.append(box, policy);
  document.getElementById('shown')!.append(label);
}

const picture = document.querySelector<SVGSVGElement>('#tree svg')!;
const caption = document.querySelector<HTMLElement>('#tree figcaption')!;
const whose = document.querySelector<HTMLSelectElement>('#tree select')!;
const when = document.querySelector<HTMLInputElement>('#tree input')!;

function show(): void {
  const { trees } = data.policies[whose.selectedIndex]!;
  when.max = String(trees.length - 1);
  const tree = trees[Math.min(trees.length - 1, Number(when.value))]!;
  const viewers = tree.copies.reduce((sum, [, , count]) => sum + count, 0);
  caption.textContent = `${timeOf(tree.second)}: ${tree.stream}, ${viewers.toLocaleString('en-US')} viewers on ${tree.copies.length} servers`;
  drawTree(picture, tree);
}

for (const { policy } of data.policies) whose.add(new Option(policy));
const [first] = data.policies;
const sizes = first!.trees.map(({ copies }) => copies.length);
when.max = String(first!.trees.length - 1);
when.value = String(sizes.indexOf(Math.max(...sizes)));
whose.addEventListener('change', show);
when.addEventListener('input', show);
show();
