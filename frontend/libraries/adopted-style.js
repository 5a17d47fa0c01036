// Stands in for a <style> that a library makes: its rules go into a constructed style sheet, which
// the Content-Security-Policy has nothing against. build.js makes libraries use it.
class AdoptedStyle extends HTMLElement {
  #sheet = new CSSStyleSheet();

  connectedCallback() {
    this.hidden = true;
    document.adoptedStyleSheets.push(this.#sheet);
  }

  disconnectedCallback() {
    const others = document.adoptedStyleSheets.filter((sheet) => sheet !== this.#sheet);
    document.adoptedStyleSheets = others;
  }

  set textContent(rules) {
    this.#sheet.replaceSync(rules);
  }
}

customElements.define("adopted-style", AdoptedStyle);
