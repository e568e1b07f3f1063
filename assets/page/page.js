"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const read = (id) => JSON.parse($(id).textContent);
  const root = document.documentElement;
  const items = read("items"), columns = read("columns"), slots = read("slots"), maps = read("maps");
  root.classList.add("scripted");

  /** An element with attributes and children; texts become text nodes, never markup. */
  const make = (name, attributes = {}, ...children) => {
    const svg = /^(svg|g|path|circle|rect)$/.test(name);
    const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const say = (text) => { const live = $("live"); live.textContent = ""; live.textContent = text; };

  // Light and dark: as the system says, until someone chooses. A page from a disk may have no storage.
  const kept = { get: () => { try { return localStorage.getItem("harness-theme"); } catch { return null; } },
                 set: (v) => { try { localStorage.setItem("harness-theme", v); } catch { /* not kept */ } } };
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const showTheme = () => $("theme").setAttribute("aria-pressed", String(isDark()));
  if (["light", "dark"].includes(kept.get())) root.dataset.theme = kept.get();
  $("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    kept.set(root.dataset.theme);
    showTheme();
  });
  system.addEventListener("change", showTheme);
  showTheme();

  // The table: rows as the page has them, in the order of the last sorting.
  const table = $("table");
  const body = table && table.tBodies[0];
  let rows = body ? [...body.rows] : [];
  const visible = () => rows.filter((row) => !row.hidden);
  const buttonOf = (row, s) => row.querySelector(`.play[data-s="${s}"]`) || row.querySelector(".play");
  const rowOf = (i) => rows.find((row) => row.dataset.i === String(i));

  // Only one play button is in the order of tabs; arrows move from it.
  let stop = null;
  const makeStop = (button) => {
    if (stop) stop.tabIndex = -1;
    stop = button;
    if (stop) stop.tabIndex = 0;
  };
  const keepStop = () => {
    if (stop && !stop.closest("tr").hidden) return;
    const first = visible()[0];
    makeStop(first ? first.querySelector(".play") : null);
  };

  // One player.
  const audio = $("audio"), player = $("player");
  let now = null; // { i, s }
  const title = ({ i, s }) => items[i].id + (slots[s] ? ", " + slots[s] : "");
  const isAt = (i, s) => now && now.i === i && now.s === s;
  const show = () => {
    const on = now && !audio.paused && !audio.ended;
    for (const button of document.querySelectorAll("#table .play:not([aria-disabled])")) {
      const at = { i: +button.dataset.i, s: +button.dataset.s };
      const mine = isAt(at.i, at.s);
      button.classList.toggle("on", Boolean(mine && on));
      button.setAttribute("aria-label", (mine && on ? "Pause " : "Play ") + title(at));
    }
    for (const row of rows) row.classList.toggle("playing", Boolean(now && +row.dataset.i === now.i));
    for (const wave of document.querySelectorAll(".wave")) {
      wave.classList.toggle("on", Boolean(isAt(+wave.dataset.i, +wave.dataset.s)));
    }
    for (const point of document.querySelectorAll(".point")) {
      point.classList.toggle("playing", Boolean(now && point.dataset.i === String(now.i) && point.dataset.s === String(now.s)));
    }
  };
  const start = (failed) => {
    const playing = audio.play();
    if (playing) playing.catch((error) => {
      // A new source interrupts the one before: that is no failure.
      if (error.name !== "AbortError") failed();
    });
  };
  const play = (i, s, from) => {
    const src = items[i] && items[i].src[s];
    if (!src) { say(items[i] ? `${title({ i, s })} has no sound file.` : "Nothing to play."); return; }
    if (isAt(i, s) && from === undefined) {
      if (audio.paused || audio.ended) start(() => {}); else audio.pause();
      return;
    }
    const changed = !isAt(i, s);
    now = { i, s };
    if (changed) {
      audio.src = src;
      player.hidden = false;
      $("now-id").textContent = title(now);
      $("now-about").textContent = items[i].prompt;
    }
    if (from !== undefined) {
      const seek = () => { audio.currentTime = from * audio.duration; };
      if (audio.readyState > 0 && !changed) seek(); else audio.addEventListener("loadedmetadata", seek, { once: true });
    }
    start(() => {
      $("now-about").textContent = "This browser cannot play the file.";
      say(`${title({ i, s })} cannot be played.`);
    });
    if (changed) say(`Playing ${title(now)}`);
    show();
  };
  const step = (by) => {
    const playable = visible().filter((row) => items[+row.dataset.i].src[now ? now.s : 0]);
    if (!playable.length) return;
    const at = playable.findIndex((row) => now && +row.dataset.i === now.i);
    const next = playable[(at + by + playable.length) % playable.length];
    play(+next.dataset.i, now ? now.s : 0);
  };
  if (audio) {
    for (const event of ["play", "pause", "ended"]) audio.addEventListener(event, show);
    audio.addEventListener("timeupdate", () => {
      const wave = now && document.querySelector(`.wave[data-i="${now.i}"][data-s="${now.s}"]`);
      if (wave && audio.duration) wave.style.setProperty("--p", audio.currentTime / audio.duration);
    });
    $("previous").addEventListener("click", () => step(-1));
    $("next").addEventListener("click", () => step(1));
  }

  if (table) {
    table.addEventListener("click", (event) => {
      const button = event.target.closest(".play");
      if (button) { makeStop(button); play(+button.dataset.i, +button.dataset.s); return; }
      const wave = event.target.closest(".wave");
      if (wave) {
        const box = wave.getBoundingClientRect();
        play(+wave.dataset.i, +wave.dataset.s, Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
      }
    });
    table.addEventListener("focusin", (event) => { if (event.target.matches(".play")) makeStop(event.target); });
    table.addEventListener("keydown", (event) => {
      if (!event.target.matches(".play") || event.ctrlKey || event.metaKey || event.altKey) return;
      const row = event.target.closest("tr"), list = visible(), at = list.indexOf(row), s = +event.target.dataset.s;
      const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: list.length - 1 }[event.key];
      let target = null;
      if (to !== undefined) target = list[to] && buttonOf(list[to], s);
      else if (event.key === "ArrowRight") target = row.querySelector(`.play[data-s="${s + 1}"]`);
      else if (event.key === "ArrowLeft") target = row.querySelector(`.play[data-s="${s - 1}"]`);
      else return;
      event.preventDefault();
      if (target) { target.focus(); target.scrollIntoView({ block: "nearest" }); }
    });

    // Sorting: numbers from the highest, texts from A; a second click turns it round. What is missing comes last either way.
    const natural = new Intl.Collator("en", { numeric: true });
    const heads = [...table.tHead.rows[0].cells];
    const sort = (head, direction) => {
      const column = heads.indexOf(head), number = head.querySelector(".sort").dataset.kind === "number";
      const value = (row) => {
        const cell = row.cells[column];
        if (number) return cell.dataset.v === "" || cell.dataset.v === undefined ? null : Number(cell.dataset.v);
        const text = cell.textContent.trim();
        return text.startsWith("–") ? null : text;
      };
      const sign = direction === "ascending" ? 1 : -1;
      const keyed = rows.map((row) => ({ row, key: value(row) }));
      keyed.sort((a, b) => {
        if (a.key === null || b.key === null) return (a.key === null) - (b.key === null);
        return sign * (number ? a.key - b.key : natural.compare(a.key, b.key));
      });
      rows = keyed.map(({ row }) => row);
      body.append(...rows);
      for (const other of heads) if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", other === head ? direction : "none");
      say(`Sorted by ${head.textContent.trim()}, ${direction}.`);
    };
    table.tHead.addEventListener("click", (event) => {
      const button = event.target.closest(".sort");
      if (!button) return;
      const head = button.closest("th"), was = head.getAttribute("aria-sort");
      const first = button.dataset.kind === "number" ? "descending" : "ascending";
      const turned = was === "ascending" ? "descending" : "ascending";
      sort(head, was === "none" ? first : turned);
    });

    // Filtering.
    const find = $("find"), taste = $("taste"), count = $("count");
    const fold = (text) => text.normalize("NFKD").toLowerCase();
    const haystacks = new Map(rows.map((row) => [row, fold(
      [".id", ".taste", ".prompt"].map((part) => row.querySelector(part).textContent).join("\n"),
    )]));
    const filter = () => {
      const words = fold(find.value).split(/\s+/).filter(Boolean);
      for (const row of rows) {
        const found = words.every((word) => haystacks.get(row).includes(word));
        row.hidden = !found || Boolean(taste && taste.value && row.dataset.taste !== taste.value);
      }
      const left = visible().length;
      const noun = rows.length === 1 ? "piece" : "pieces";
      count.textContent = left === rows.length ? `${left} ${noun}` : `${left} of ${rows.length} ${noun}`;
      $("none").hidden = left > 0;
      keepStop();
    };
    find.addEventListener("input", filter);
    if (taste) taste.addEventListener("change", filter);
    $("clear").addEventListener("click", () => {
      find.value = "";
      if (taste) taste.value = "";
      filter();
      find.focus();
    });
    // A browser may keep what was typed when the page is loaded again.
    filter();
  }

  // Maps.
  if (maps) {
    const SIZE = 1000, EDGE = 60;
    // The shapes of the figures, in their order: see src/figures/marker.rs.
    const polygon = (corners) => `M${corners.map((corner) => corner.join(" ")).join("L")}z`;
    const plus = (r, turn = 0) => {
      const a = 1.2 * r, b = 0.36 * r;
      const corners = [[-b, -a], [b, -a], [b, -b], [a, -b], [a, b], [b, b], [b, a], [-b, a], [-b, b], [-a, b], [-a, -b], [-b, -b]];
      return polygon(turn ? corners.map(([x, y]) => [turn * (x - y), turn * (x + y)]) : corners);
    };
    const shapes = [
      (r) => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
      (r) => `M0 ${-1.25 * r}L${1.15 * r} ${0.8 * r}H${-1.15 * r}z`,
      (r) => `M${-0.9 * r} ${-0.9 * r}h${1.8 * r}v${1.8 * r}h${-1.8 * r}z`,
      (r) => `M0 ${-1.3 * r}L${1.3 * r} 0L0 ${1.3 * r}L${-1.3 * r} 0z`,
      (r) => `M0 ${1.25 * r}L${1.15 * r} ${-0.8 * r}H${-1.15 * r}z`,
      plus,
      (r) => plus(r, Math.SQRT1_2),
      (r) => polygon([[0, 1.15], [1, 0.58], [1, -0.58], [0, -1.15], [-1, -0.58], [-1, 0.58]].map(([x, y]) => [x * r, y * r])),
    ];
    const shape = (arm) => shapes[arm % shapes.length];
    const look = (t) => {
      const { colour, hollow } = t < 0 ? { colour: maps.no_taste, hollow: false } : maps.tastes[t];
      return hollow ? { fill: "none", style: `stroke:${colour};stroke-width:3;paint-order:normal` } : { fill: colour };
    };
    const plane = $("plane"), legend = $("legend");
    const hidden = { taste: new Set(), arm: new Set() };
    let points = [], stopped = null;

    const about = ([, , t, arm, k, s]) => {
      const sound = s >= 0;
      const item = sound ? items[k] : null;
      const [id, text] = sound ? [item.id + (slots[s] ? ", " + slots[s] : ""), item.prompt] : k >= 0 ? maps.texts[k] : ["", ""];
      return { id, text, taste: t < 0 ? "" : maps.tastes[t].name, arm: maps.arms[arm], item, playable: Boolean(item && item.src[s]) };
    };
    const tip = make("div", { id: "tip", hidden: "", "aria-hidden": "true" });
    const showTip = (node) => {
      const point = points[node.dataset.k], told = about(point);
      tip.replaceChildren(make("strong", { dir: "auto" }, told.id));
      const line = [told.taste, told.arm].filter(Boolean).join(" · ");
      if (line) tip.append(make("div", {}, line));
      if (told.text) tip.append(make("p", { dir: "auto" }, told.text));
      if (told.item) {
        const scores = make("dl");
        told.item.scores.forEach((score, c) => {
          if (score !== null) scores.append(make("dt", {}, columns[c]), make("dd", {}, score));
        });
        tip.append(scores);
        if (!told.playable) tip.append(make("div", {}, "No sound file."));
      }
      tip.hidden = false;
      const box = plane.getBoundingClientRect(), at = node.getBoundingClientRect();
      const x = at.left + at.width / 2 - box.left, y = at.top - box.top;
      const left = Math.min(Math.max(4, x - tip.offsetWidth / 2), box.width - tip.offsetWidth - 4);
      const above = y - tip.offsetHeight - 8;
      tip.style.left = left + "px";
      tip.style.top = (above + box.top > 4 ? above : at.bottom - box.top + 8) + "px";
    };
    const hideTip = () => { tip.hidden = true; };

    const nodes = () => [...plane.querySelectorAll(".point")].filter((node) => !node.hasAttribute("display"));
    const setStop = (node) => {
      if (stopped) stopped.setAttribute("tabindex", "-1");
      stopped = node || null;
      if (stopped) stopped.setAttribute("tabindex", "0");
    };
    const sift = () => {
      for (const node of plane.querySelectorAll(".point")) {
        const [, , t, arm] = points[node.dataset.k];
        const off = hidden.taste.has(t) || hidden.arm.has(arm);
        if (off) node.setAttribute("display", "none"); else node.removeAttribute("display");
      }
      if (!stopped || stopped.hasAttribute("display")) setStop(nodes()[0]);
    };

    const key = (heading, kind, entries) => {
      if (!entries.length) return;
      const list = make("ul");
      for (const { value, name, path, ...paint } of entries) {
        const sign = make("svg", { viewBox: "-12 -12 24 24", "aria-hidden": "true" }, make("path", { d: path, ...paint }));
        const button = make("button", { type: "button", "aria-pressed": "true" }, sign, make("bdi", {}, name));
        button.addEventListener("click", () => {
          const set = hidden[kind];
          if (set.has(value)) set.delete(value); else set.add(value);
          button.setAttribute("aria-pressed", String(!set.has(value)));
          sift();
        });
        list.append(make("li", {}, button));
      }
      legend.append(make("div", {}, make("h3", {}, heading), list));
    };

    const draw = (m) => {
      const map = maps.maps[m];
      points = map.points;
      hidden.taste.clear();
      hidden.arm.clear();
      const r = points.length > 1500 ? 7 : points.length > 300 ? 10 : 15;
      const svg = make("svg", {
        viewBox: `${-EDGE} ${-EDGE} ${SIZE + 2 * EDGE} ${SIZE + 2 * EDGE}`, role: "group",
        "aria-label": `Map ${map.name}: ${points.length} points. Arrow keys move to the nearest point that way.`,
      });
      points.forEach((point, k) => {
        const [x, y, t, arm, i, s] = point, told = about(point);
        const name = [told.id || "point", told.taste, told.arm].filter(Boolean).join(", ");
        const node = make("g", {
          class: told.playable ? "point" : "point silent", role: "button", tabindex: "-1", transform: `translate(${x} ${y})`,
          "aria-label": told.item ? (told.playable ? "Play " + name : name + ", no sound file") : `${name}: ${told.text}`,
          "data-k": k, "data-i": s >= 0 ? i : "", "data-s": s,
        });
        node.append(make("circle", { r: r * 1.8, class: "halo" }), make("path", { d: shape(arm)(r), ...look(t) }));
        if (points.length <= 300) node.append(make("circle", { r: r * 1.6, class: "hit" }));
        svg.append(node);
      });
      plane.replaceChildren(svg, tip);
      hideTip();
      const tastes = [...new Set(points.map((p) => p[2]))].sort((a, b) => (a < 0) - (b < 0) || a - b);
      const arms = [...new Set(points.map((p) => p[3]))].sort((a, b) => a - b);
      legend.replaceChildren();
      if (tastes.length > 1 || tastes[0] >= 0) {
        key("Taste", "taste", tastes.map((t) => ({ value: t, name: t < 0 ? "none" : maps.tastes[t].name, path: shapes[0](9), ...look(t) })));
      }
      if (arms.length > 1) key("Condition", "arm", arms.map((a) => ({ value: a, name: maps.arms[a], path: shape(a)(9), fill: "currentColor" })));
      $("map-note").textContent = map.note || "";
      setStop(null);
      sift();
      show();
    };

    const act = (node) => {
      const [, , , , k, s] = points[node.dataset.k];
      showTip(node);
      if (s >= 0) play(k, s); else say(about(points[node.dataset.k]).text);
    };
    const pointOf = (event) => event.target.closest && event.target.closest(".point");
    plane.addEventListener("click", (event) => {
      const node = pointOf(event);
      if (node) { setStop(node); act(node); } else hideTip();
    });
    plane.addEventListener("pointerover", (event) => { const node = pointOf(event); if (node) showTip(node); });
    plane.addEventListener("pointerout", (event) => { if (pointOf(event) && event.pointerType === "mouse") hideTip(); });
    plane.addEventListener("focusin", (event) => { const node = pointOf(event); if (node) { setStop(node); showTip(node); } });
    plane.addEventListener("focusout", hideTip);
    plane.addEventListener("keydown", (event) => {
      const node = pointOf(event);
      if (!node || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); act(node); return; }
      if (event.key === "Escape") { hideTip(); return; }
      const way = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
      if (!way) return;
      event.preventDefault();
      const [x, y] = points[node.dataset.k];
      let best = null, least = Infinity;
      for (const other of nodes()) {
        if (other === node) continue;
        const [ox, oy] = points[other.dataset.k];
        const along = (ox - x) * way[0] + (oy - y) * way[1], across = Math.abs((ox - x) * way[1]) + Math.abs((oy - y) * way[0]);
        const far = along + 2 * across;
        if (along > 0 && far < least) { least = far; best = other; }
      }
      if (best) best.focus();
    });
    const choice = $("map-choice");
    if (choice) choice.addEventListener("change", () => draw(+choice.value));
    draw(choice ? +choice.value : 0);
  }
})();
