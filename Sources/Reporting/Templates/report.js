// Sorting, filtering, hover values, the mask slider, addresses and live news. Without it every page still shows everything.
(function () {
  "use strict";
  document.documentElement.classList.add("js");
  var ROWS = 100;
  var collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

  function make(name, attributes, text) {
    var element = document.createElement(name);
    for (var key in attributes) { element.setAttribute(key, attributes[key]); }
    if (text !== undefined) { element.textContent = text; }
    return element;
  }

  // The part of the address after '#' is either the id of an element or the state of the page's table: q=, sort=, f.<column>=.
  function readState() {
    var fragment = location.hash.slice(1);
    return new URLSearchParams(fragment.indexOf("=") > 0 ? fragment : "");
  }

  function writeState(state) {
    var text = state.toString();
    history.replaceState(null, "", text ? "#" + text : location.pathname + location.search);
  }

  // Tables.

  function Table(element) {
    this.element = element;
    this.body = element.tBodies[0];
    this.heads = Array.from(element.tHead.rows[0].cells);
    this.keys = this.heads.map(function (head) { return head.dataset.key; });
    this.ownsAddress = document.querySelectorAll("table.data").length === 1;
    this.sort = null;
    this.query = "";
    this.choices = {};
    this.limit = ROWS;
    this.read();
    this.addControls();
    this.addSorting();
    if (this.ownsAddress) { this.restore(); }
    this.show();
    element.classList.add("ready");
    if (this.rows.length > ROWS) {
      this.freeze();
      addEventListener("resize", this.freeze.bind(this));
    }
  }

  // A table is laid out as a whole for every row that joins it. A long one keeps the widths that its first rows ask for, and its
  // rows become boxes of their own, which are laid out when they are looked at. What the names of the elements then no longer
  // tell a screen reader, roles do.
  Table.prototype.freeze = function () {
    var element = this.element;
    element.classList.remove("frozen");
    var widths = this.heads.map(function (head) { return head.getBoundingClientRect().width; });
    if (!widths.some(Boolean)) { return; }
    element.style.setProperty("--columns", widths.map(function (width) { return width + "px"; }).join(" "));
    element.setAttribute("role", "table");
    Array.from(element.querySelectorAll("thead, tbody")).forEach(function (part) { part.setAttribute("role", "rowgroup"); });
    Array.from(element.rows).forEach(name);
    element.classList.add("frozen");
  };

  function name(row) {
    if (row.hasAttribute("role")) { return; }
    row.setAttribute("role", "row");
    Array.from(row.cells).forEach(function (cell) {
      var role = cell.tagName === "TD" ? "cell" : cell.scope === "col" ? "columnheader" : "rowheader";
      cell.setAttribute("role", role);
    });
  }

  Table.prototype.read = function () {
    this.rows = Array.from(this.body.rows).map(function (row, index) {
      return { row: row, index: index, cells: null };
    });
  };

  function texts(entry) {
    if (!entry.cells) {
      entry.cells = Array.from(entry.row.cells).map(function (cell) { return cell.textContent; });
    }
    return entry.cells;
  }

  Table.prototype.addControls = function () {
    var table = this;
    var form = make("form", { "class": "filters", "role": "search", "aria-label": "Filter the table" });
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    var label = make("label", {}, "Search ");
    this.search = make("input", { type: "search", autocomplete: "off", spellcheck: "false" });
    label.append(this.search);
    form.append(label);
    this.search.addEventListener("input", function () { table.query = table.search.value; table.changed(); });
    this.selects = {};
    this.heads.forEach(function (head, column) {
      if (head.dataset.choice === undefined) { return; }
      var label = make("label", {}, head.textContent + " ");
      var select = make("select", {});
      label.append(select);
      form.append(label);
      table.selects[column] = select;
      select.addEventListener("change", function () {
        table.choices[column] = select.value;
        table.changed();
      });
    });
    this.fillSelects();
    this.reset = make("button", { type: "button" }, "Clear");
    this.reset.addEventListener("click", function () {
      table.query = "";
      table.choices = {};
      table.sort = null;
      table.reflect();
      table.changed();
      table.search.focus();
    });
    form.append(this.reset);
    this.count = make("output", { "aria-live": "polite" });
    form.append(this.count);
    this.form = form;
    var frame = this.element.parentElement;
    frame.before(form);
    this.more = make("p", { "class": "more" });
    var button = make("button", { type: "button" }, "Show all rows");
    button.addEventListener("click", function () { table.limit = Infinity; table.show(); });
    this.more.append(button);
    frame.after(this.more);
    new IntersectionObserver(function (entries) {
      if (entries.some(function (entry) { return entry.isIntersecting; }) && !table.more.hidden) {
        table.limit += ROWS;
        table.show();
      }
    }, { rootMargin: "1500px" }).observe(this.more);
    addEventListener("beforeprint", function () { table.limit = Infinity; table.show(); });
  };

  Table.prototype.fillSelects = function () {
    for (var column in this.selects) {
      var values = new Set(this.rows.map(function (entry) { return entry.row.cells[column].textContent; }));
      var select = this.selects[column];
      var chosen = select.value;
      select.replaceChildren(make("option", { value: "" }, "all"));
      Array.from(values).sort(collator.compare).forEach(function (value) {
        select.append(make("option", { value: value }, value));
      });
      select.value = chosen;
    }
  };

  Table.prototype.addSorting = function () {
    var table = this;
    this.heads.forEach(function (head, column) {
      var button = make("button", { type: "button", "class": "sort" }, head.textContent);
      head.replaceChildren(button);
      button.addEventListener("click", function () {
        var sort = table.sort;
        var numeric = head.classList.contains("n");
        // Numbers begin with the largest, texts with the first; a third click gives the order of the file back.
        if (!sort || sort.column !== column) { table.sort = { column: column, down: numeric }; }
        else if (sort.down === numeric) { table.sort = { column: column, down: !numeric }; }
        else { table.sort = null; }
        table.changed();
      });
    });
  };

  // From the address.
  Table.prototype.restore = function () {
    var table = this;
    var state = readState();
    this.query = state.get("q") || "";
    this.choices = {};
    this.sort = null;
    var sort = state.get("sort");
    if (sort) {
      var down = sort.charAt(0) === "-";
      var column = this.keys.indexOf(down ? sort.slice(1) : sort);
      if (column >= 0) { this.sort = { column: column, down: down }; }
    }
    state.forEach(function (value, name) {
      if (name.slice(0, 2) !== "f.") { return; }
      var column = table.keys.indexOf(name.slice(2));
      if (column >= 0) { table.choices[column] = value; }
    });
    this.reflect();
  };

  Table.prototype.reflect = function () {
    this.search.value = this.query;
    for (var column in this.selects) { this.selects[column].value = this.choices[column] || ""; }
  };

  Table.prototype.changed = function () {
    this.limit = ROWS;
    this.show();
    if (!this.ownsAddress) { return; }
    var state = new URLSearchParams();
    if (this.query) { state.set("q", this.query); }
    if (this.sort) { state.set("sort", (this.sort.down ? "-" : "") + this.keys[this.sort.column]); }
    for (var column in this.choices) {
      if (this.choices[column]) { state.set("f." + this.keys[column], this.choices[column]); }
    }
    writeState(state);
  };

  Table.prototype.selected = function () {
    var words = this.query.toLowerCase().split(/\s+/).filter(Boolean);
    var choices = Object.entries(this.choices).filter(function (pair) { return pair[1]; });
    var rows = this.rows;
    if (words.length || choices.length) {
      rows = rows.filter(function (entry) {
        var cells = texts(entry);
        if (!choices.every(function (pair) { return cells[pair[0]] === pair[1]; })) { return false; }
        if (!words.length) { return true; }
        var text = cells.join(" ").toLowerCase();
        return words.every(function (word) { return text.indexOf(word) >= 0; });
      });
    }
    if (!this.sort) { return rows; }
    var column = this.sort.column;
    var sign = this.sort.down ? -1 : 1;
    var numeric = this.heads[column].classList.contains("n");
    return rows.slice().sort(function (a, b) {
      var x = texts(a)[column];
      var y = texts(b)[column];
      // What is missing comes last in both directions.
      if (x === "–" || y === "–") { return (x === "–") - (y === "–") || a.index - b.index; }
      var order = numeric ? parseFloat(x) - parseFloat(y) : collator.compare(x, y);
      return (isNaN(order) ? collator.compare(x, y) : order) * sign || a.index - b.index;
    });
  };

  // Only the rows that are read are laid out: the others follow when they are scrolled to.
  Table.prototype.show = function () {
    var sort = this.sort;
    var rows = this.selected();
    var shown = rows.slice(0, this.limit);
    var here = Array.from(this.body.rows);
    var isLonger = here.length <= shown.length && here.every(function (row, index) { return shown[index].row === row; });
    var wanted = (isLonger ? shown.slice(here.length) : shown).map(function (entry) { return entry.row; });
    if (this.element.classList.contains("frozen")) { wanted.forEach(name); }
    if (isLonger) { this.body.append.apply(this.body, wanted); } else { this.body.replaceChildren.apply(this.body, wanted); }
    // A handful of rows is read faster than filtered.
    this.form.hidden = this.rows.length < 6;
    this.heads.forEach(function (head, column) {
      if (sort && sort.column === column) {
        head.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
      } else {
        head.removeAttribute("aria-sort");
      }
    });
    this.more.hidden = shown.length === rows.length;
    this.reset.disabled = !(this.query || sort || Object.values(this.choices).some(Boolean));
    this.count.textContent = rows.length === this.rows.length
      ? this.rows.length + (this.rows.length === 1 ? " row" : " rows")
      : rows.length + " of " + this.rows.length + " rows";
  };

  // News: the rows of a page that was fetched again, under the filters that are set.
  Table.prototype.replaceRows = function (fresh) {
    var keys = Array.from(fresh.tHead.rows[0].cells).map(function (head) { return head.dataset.key; });
    if (keys.join() !== this.keys.join()) { return false; }
    var rows = Array.from(fresh.tBodies[0].rows).map(function (row) { return document.importNode(row, true); });
    this.body.replaceChildren.apply(this.body, rows);
    this.read();
    this.fillSelects();
    this.reflect();
    this.show();
    return true;
  };

  // Figures: one tip for all of them.

  var tip = null;
  var tipped = null;

  function showTip(mark, event) {
    if (!tip) {
      tip = make("div", { "class": "tip", "role": "status" });
      document.body.append(tip);
    }
    tipped = mark;
    tip.textContent = mark.getAttribute("aria-label");
    tip.hidden = false;
    var box = mark.getBoundingClientRect();
    var width = tip.offsetWidth;
    var x = event && event.clientX !== undefined ? event.clientX : box.left + box.width / 2;
    var left = Math.max(8, Math.min(x - width / 2, document.documentElement.clientWidth - width - 8));
    var top = box.top - tip.offsetHeight - 8;
    if (top < 8) { top = box.bottom + 8; }
    tip.style.left = left + scrollX + "px";
    tip.style.top = top + scrollY + "px";
  }

  function hideTip() {
    tipped = null;
    if (tip) { tip.hidden = true; }
  }

  function prepareFigure(svg) {
    var marks = Array.from(svg.querySelectorAll("rect"));
    // The browser's own tip would stand beside ours.
    svg.querySelectorAll("title").forEach(function (title) {
      title.parentNode.setAttribute("aria-label", title.textContent);
      title.remove();
    });
    svg.addEventListener("pointerover", function (event) {
      if (event.target.tagName === "rect") { showTip(event.target, event); }
    });
    svg.addEventListener("pointerleave", hideTip);
    svg.addEventListener("focusin", function (event) { showTip(event.target); });
    svg.addEventListener("focusout", hideTip);
    svg.addEventListener("keydown", function (event) {
      var index = marks.indexOf(event.target);
      var next = { ArrowRight: index + 1, ArrowDown: index + 1, ArrowLeft: index - 1, ArrowUp: index - 1, Home: 0,
        End: marks.length - 1 }[event.key];
      if (event.key === "Escape") { hideTip(); }
      if (next === undefined || !marks[next]) { return; }
      event.preventDefault();
      marks[index].setAttribute("tabindex", "-1");
      marks[next].setAttribute("tabindex", "0");
      marks[next].focus();
    });
  }

  // Held-out images.

  var maskState = { opacity: "50", shown: "both" };

  function prepareGallery(gallery) {
    var slider = document.getElementById("mask-opacity");
    var value = document.getElementById("mask-opacity-value");
    if (!slider) { return; }
    function apply() {
      gallery.style.setProperty("--mask", slider.value / 100);
      slider.setAttribute("aria-valuetext", slider.value + " %");
      value.textContent = slider.value + " %";
      maskState.opacity = slider.value;
    }
    slider.value = maskState.opacity;
    slider.addEventListener("input", apply);
    slider.form.addEventListener("submit", function (event) { event.preventDefault(); });
    slider.form.querySelectorAll("[name=mask-shown]").forEach(function (radio) {
      radio.checked = radio.value === maskState.shown;
      radio.addEventListener("change", function () {
        maskState.shown = radio.value;
        gallery.dataset.show = radio.value;
      });
    });
    gallery.dataset.show = maskState.shown;
    apply();
  }

  // Addresses: what lies in a closed part is opened.

  function reveal() {
    var id = decodeURIComponent(location.hash.slice(1));
    var target = id && id.indexOf("=") < 0 ? document.getElementById(id) : null;
    if (!target) { return; }
    for (var part = target; part; part = part.parentElement) {
      if (part.tagName === "DETAILS") { part.open = true; }
    }
    target.scrollIntoView({ block: target.classList.contains("l") ? "center" : "start" });
    if (!target.hasAttribute("tabindex")) { target.setAttribute("tabindex", "-1"); }
    target.focus({ preventScroll: true });
  }

  // A click beside a line of code puts its address into the address bar.
  document.addEventListener("click", function (event) {
    var line = event.target.closest ? event.target.closest(".code .l[id]") : null;
    if (!line || !getSelection().isCollapsed) { return; }
    if (event.clientX - line.getBoundingClientRect().left < 44) { location.hash = line.id; }
  });

  // Live news: the page is fetched again, and only what differs is put in place.

  var tables = {};
  var known = {};

  function enhance(root) {
    root.querySelectorAll("svg.marks").forEach(prepareFigure);
    if (root.id === "gallery") { prepareGallery(root); }
    root.querySelectorAll("#gallery").forEach(prepareGallery);
    var found = root.matches && root.matches("table.data") ? [root] : Array.from(root.querySelectorAll("table.data"));
    found.forEach(function (element) { tables[element.id] = new Table(element); });
  }

  function remember(root) {
    root.querySelectorAll("[data-live][id], [data-live-list] > [id]").forEach(function (element) {
      known[element.id] = element.outerHTML;
    });
  }

  function replace(old, fresh) {
    var element = document.importNode(fresh, true);
    element.querySelectorAll("details[id]").forEach(function (details) {
      var before = document.getElementById(details.id);
      if (before) { details.open = before.open; }
    });
    var focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    old.replaceWith(element);
    enhance(element);
    if (focused && document.getElementById(focused)) { document.getElementById(focused).focus({ preventScroll: true }); }
  }

  function merge(page) {
    var changes = 0;
    page.querySelectorAll("[data-live][id]").forEach(function (fresh) {
      if (known[fresh.id] === fresh.outerHTML) { return; }
      var old = document.getElementById(fresh.id);
      if (!old) { return; }
      changes += 1;
      var table = tables[fresh.id];
      if (!(table && fresh.tagName === "TABLE" && table.replaceRows(fresh))) { replaceLive(old, fresh); }
      known[fresh.id] = fresh.outerHTML;
    });
    page.querySelectorAll("[data-live-list]").forEach(function (list) {
      var here = document.getElementById(list.id);
      if (!here) { return; }
      Array.from(list.children).forEach(function (fresh) {
        if (known[fresh.id] === fresh.outerHTML) { return; }
        changes += 1;
        known[fresh.id] = fresh.outerHTML;
        var old = document.getElementById(fresh.id);
        if (old) { replace(old, fresh); } else {
          here.append(document.importNode(fresh, true));
          enhance(here.lastElementChild);
        }
      });
    });
    return changes;
  }

  // A table that appears where there was none, or with other columns, brings its own frame and controls.
  function replaceLive(old, fresh) {
    if (fresh.tagName === "TABLE" || old.tagName === "TABLE") { location.reload(); } else { replace(old, fresh); }
  }

  // What the reader looks at stays where it is, whatever grows above it.
  function keepingPlace(change) {
    var parts = Array.from(document.querySelectorAll("main section[id], main figure[id], main tbody > tr"));
    var part = parts.find(function (part) { return part.getBoundingClientRect().bottom > 0; });
    var id = part && part.id;
    var before = part && part.getBoundingClientRect().top;
    var y = scrollY;
    var result = change();
    // A part that was put in anew is found by its name; a row is not, and then the page stays where it was.
    var after = id ? document.getElementById(id) : null;
    var top = after && y > 0 ? scrollY + after.getBoundingClientRect().top - before : y;
    scrollTo({ left: scrollX, top: top, behavior: "instant" });
    return result;
  }

  function follow(version) {
    // The browser's own way of keeping the place would come on top of ours.
    document.documentElement.style.overflowAnchor = "none";
    var status = document.getElementById("live-status");
    var wait = 1000;
    function say(text, lost) {
      status.textContent = text;
      status.classList.toggle("lost", Boolean(lost));
    }
    function ask() {
      fetch("/live?after=" + encodeURIComponent(version), { cache: "no-store" })
        .then(function (response) {
          if (!response.ok) { throw new Error(String(response.status)); }
          return response.json();
        })
        .then(function (news) {
          wait = 1000;
          if (news.version === version) { return null; }
          return fetch(location.pathname, { cache: "no-store" })
            .then(function (response) {
              if (!response.ok) { throw new Error(String(response.status)); }
              return response.text();
            })
            .then(function (text) {
              var page = new DOMParser().parseFromString(text, "text/html");
              var changes = keepingPlace(function () { return merge(page); });
              version = page.querySelector("meta[name=llmbench-live]").content;
              say("Live · updated " + new Date().toLocaleTimeString() + (changes ? "" : ", nothing new on this page"));
            });
        })
        .then(function () { setTimeout(ask, 50); }, function () {
          say("Not connected: `llmbench view` has ended or is busy. Trying again.", true);
          setTimeout(ask, wait);
          wait = Math.min(wait * 2, 15000);
        });
    }
    say("Live");
    ask();
  }

  document.addEventListener("DOMContentLoaded", function () {
    var live = document.querySelector("meta[name=llmbench-live]");
    if (live) { remember(document); }
    enhance(document.body);
    addEventListener("hashchange", function () {
      reveal();
      Object.values(tables).forEach(function (table) {
        if (table.ownsAddress) { table.restore(); table.show(); }
      });
    });
    addEventListener("keydown", function (event) { if (event.key === "Escape" && tipped) { hideTip(); } });
    reveal();
    if (live) { follow(live.content); }
  });
})();
