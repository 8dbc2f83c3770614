// How somebody uses a page: with the mouse, or with nothing but the keyboard. A task is written once for both.
import assert from 'node:assert/strict';

// The longest way to anything on a page.
const MOST_STOPS = 250;

export class Mouse {
  name = 'by clicks';

  constructor(page) {
    this.page = page;
  }

  press(locator) {
    return locator.click();
  }

  fill(locator, text) {
    return locator.fill(text);
  }

  // One of several values, or a box.
  tick(locator) {
    return locator.check();
  }

  choose(locator, label) {
    return locator.selectOption({ label });
  }
}

export class Keyboard {
  name = 'by keyboard';

  constructor(page) {
    this.page = page;
  }

  async press(locator) {
    await this.#reach(locator);
    await this.page.keyboard.press('Enter');
  }

  async fill(locator, text) {
    await this.#reach(locator);
    await this.page.keyboard.press('ControlOrMeta+a');
    await this.page.keyboard.press('Delete');
    if (text) await this.page.keyboard.type(text);
  }

  async tick(locator) {
    if (await locator.isChecked()) return;
    const kind = await locator.getAttribute('type');
    if (kind === 'checkbox') {
      await this.#reach(locator);
      await this.page.keyboard.press('Space');
    } else {
      // Tab stops at the one that is chosen; the arrows lead to the others.
      const name = await locator.getAttribute('name');
      await this.#reach(this.page.locator(`input[type=radio][name="${name}"]:checked`));
      for (let stops = 0; stops < 10 && !(await locator.isChecked()); stops += 1) await this.page.keyboard.press('ArrowDown');
    }
    assert.ok(await locator.isChecked(), `the keyboard does not choose ${locator}`);
  }

  async choose(locator, label) {
    await this.#reach(locator);
    await this.page.keyboard.type(label);
    assert.equal(await locator.evaluate(select => select.selectedOptions[0].textContent), label);
  }

  async #reach(locator) {
    await locator.first().waitFor();
    for (let stops = 0; stops < MOST_STOPS; stops += 1) {
      if (await locator.evaluate(element => element === document.activeElement)) return;
      await this.page.keyboard.press('Tab');
    }
    assert.fail(`no way by Tab to ${locator}`);
  }
}
