// The demonstration's way into the console, and what one sees there first: the picture of the README.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { look } from './pages.mjs';
import { path } from './watched.mjs';

// The most bytes that the picture has.
const PICTURE = 150 << 10;

export async function seen(watched) {
  const { USHER, USHER_DATA, USHER_PICTURE, ...environment } = process.env;
  const options = { cwd: dirname(USHER_DATA), env: environment, stdio: ['ignore', 'pipe', 'inherit'] };
  const demo = spawn(USHER, ['demo', '--listen', '127.0.0.1:0'], options);
  const ended = new Promise(resolve => demo.once('exit', resolve));
  try {
    const link = await wayIn(demo);
    // It is another server than the one that is watched.
    const page = await watched.open({}, what => what.startsWith('asks for'));
    await look(watched, page, link, 'one-time-link');
    await page.getByRole('button', { name: 'Open the console' }).press('Enter');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    watched.check(path(page.url()) === '/console', 'the link', `leads to ${page.url()}`);
    const bytes = await page.screenshot({ type: 'png', animations: 'disabled' });
    watched.check(bytes.length < PICTURE, '/console', `its picture has ${bytes.length} bytes`);
    if (USHER_PICTURE) writeFileSync(USHER_PICTURE, bytes);
    await page.context().close();
    // Nobody else gets in by it.
    const other = await watched.open({}, what => what.startsWith('asks for') || /403/.test(what));
    const answer = await other.goto(link);
    watched.check(answer.status() === 403, 'the link', `is answered ${answer.status()} once more`);
    await other.context().close();
  } finally {
    demo.kill('SIGTERM');
    await ended;
  }
}

// The link with which the demonstration ends.
async function wayIn(demo) {
  for await (const line of createInterface(demo.stdout)) {
    const [link] = line.match(/http:\S+\/console\/sign-in\/\S+/) ?? [];
    if (link) {
      demo.stdout.resume();
      return link;
    }
  }
  throw new Error('the demonstration ended without a link');
}
