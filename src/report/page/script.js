// All charts show the epoch under the pointer, which the arrow keys move. The numbers are taken
// from the table of epochs, so that they are formatted in one place only.
const SVG = 'http://www.w3.org/2000/svg';
const charts = () => [...document.querySelectorAll('.chart')];
const rows = () => [...document.querySelectorAll('.epochs tbody tr')];
let shown = null;

// The points of a line's epochs. They are listed separately if the line has points for steps as
// well.
function epochs(line) {
  const places = line.dataset.epochs ?? line.getAttribute('points');
  return places.split(' ').map((place) => place.split(',').map(Number));
}

function show(index) {
  const all = rows();
  if (!all.length) return;
  shown = index === null ? null : Math.max(0, Math.min(all.length - 1, index));
  const row = all[shown ?? all.length - 1];
  for (const chart of charts()) {
    chart.querySelectorAll('.cursor, .cursor-dot').forEach((mark) => mark.remove());
    for (const reading of chart.querySelectorAll('.reading')) {
      const key = reading.dataset.key;
      reading.querySelector('b').textContent = row.querySelector(`[data-key=${key}]`).textContent;
    }
    chart.querySelector('.epoch').textContent = row.querySelector('[data-key=epoch]').textContent;
    if (shown === null) continue;
    const svg = chart.querySelector('svg');
    const mark = (name, d) => {
      const path = document.createElementNS(SVG, 'path');
      path.setAttribute('class', name);
      path.setAttribute('d', d);
      svg.append(path);
    };
    const lines = [...svg.querySelectorAll('polyline')];
    mark('cursor', `M${epochs(lines[0])[shown][0]} 0V100`);
    for (const line of lines) {
      const [x, y] = epochs(line)[shown];
      mark(`dot cursor-dot ${line.classList[1]}`, `M${x} ${y}h0`);
    }
  }
}

function under(event) {
  const chart = event.target.closest('.chart');
  if (!chart) return null;
  const line = chart.querySelector('polyline');
  if (!line) return null;
  const { left, width } = chart.querySelector('svg').getBoundingClientRect();
  const distances = epochs(line).map(([x]) => Math.abs(x - (100 * (event.clientX - left)) / width));
  return distances.indexOf(Math.min(...distances));
}

document.addEventListener('pointermove', (event) => {
  const index = under(event);
  if (index === shown) return;
  if (index !== null || !document.activeElement.closest('.chart')) show(index);
});
document.addEventListener('keydown', (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step || !event.target.closest('.chart')) return;
  event.preventDefault();
  show((shown ?? rows().length - 1) + step);
});
document.addEventListener('focusout', () => show(null));
