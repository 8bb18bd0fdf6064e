// Pictures of every page, wide and narrow, light and dark, to be looked at.
import { mkdirSync } from 'node:fs';
import { launch, open, pages } from './browser.mjs';

const folder = process.argv[2];
mkdirSync(folder, { recursive: true });
const browser = await launch();
for (const [shape, width] of [['wide', 1280], ['narrow', 390]]) {
  for (const colorScheme of ['light', 'dark']) {
    const page = await open(browser, { viewport: { width, height: 900 }, colorScheme });
    for (const [name, path] of Object.entries(await pages())) {
      await page.show(path);
      await page.screenshot({ path: `${folder}/${name}-${shape}-${colorScheme}.png` });
    }
    await page.context().close();
  }
}
await browser.close();
console.log(`pictures in ${folder}`);
