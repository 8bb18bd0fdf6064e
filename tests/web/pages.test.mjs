// What holds for every page: nothing wrong for people who cannot see it, nothing in the console, small, and from one place.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { brotliCompressSync } from 'node:zlib';
import { launch, open, pages, server, violations } from './browser.mjs';

let browser;
let all;
before(async () => { browser = await launch(); all = await pages(); });
after(() => browser?.close());

for (const colorScheme of ['light', 'dark']) {
  test(`axe-core finds nothing, in ${colorScheme}`, async () => {
    const page = await open(browser, { colorScheme });
    const found = {};
    for (const [name, path] of Object.entries(all)) {
      await page.show(path);
      const wrong = await violations(page);
      if (wrong.length) found[name] = wrong;
    }
    // A page that answers 4xx says so in the console.
    page.troubles = page.troubles.filter((it) => !it.includes('Failed to load resource'));
    assert.deepEqual(found, {});
    await page.close_well();
  });
}

test('no page is wider than a phone', async () => {
  const page = await open(browser, { viewport: { width: 390, height: 800 } });
  for (const [name, path] of Object.entries(all)) {
    await page.show(path);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(over <= 0, `${name} is ${over} px too wide`);
  }
});

test('a cold page is few small files from one place', async () => {
  for (const [name, path] of Object.entries(all)) {
    const page = await open(browser);
    const shifts = page.addInitScript(() => {
      globalThis.shifted = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) globalThis.shifted += entry.value;
      }).observe({ type: 'layout-shift', buffered: true });
    });
    await shifts;
    await page.show(path);
    assert.ok(page.requests.length <= 6, `${name}: ${page.requests.join(' ')}`);
    const shifted = await page.evaluate(() => globalThis.shifted);
    assert.ok(shifted <= 0.02, `${name} shifts by ${shifted}`);
    await page.context().close();
  }
});

test('files and the catalog stay within their budgets', async () => {
  const bytes = async (path) => brotliCompressSync(Buffer.from(await (await fetch(server + path)).arrayBuffer())).length;
  const html = await (await fetch(`${server}/runs`)).text();
  const addresses = [...html.matchAll(/"(\/static\/[^"]+)"/g)].map((match) => match[1]);
  const of = async (ending) =>
    (await Promise.all(addresses.filter((it) => it.includes(ending)).map(bytes))).reduce((sum, it) => sum + it, 0);
  const measured = { css: await of('.css'), javascript: await of('.js'), list: await bytes('/published') };
  console.log(`brotli bytes: ${JSON.stringify(measured)}`);
  assert.ok(measured.css <= 12_000 && measured.javascript <= 24_000 && measured.list <= 20_000, JSON.stringify(measured));
});
