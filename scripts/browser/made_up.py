"""Run folders with made-up numbers, for what the demo's run does not have: maps, sets side by side, texts, hostile names."""

import csv
import json
import math
import struct
from pathlib import Path

HOSTILE = ["<script>window.hacked = 1</script>", "\"><img src=x onerror=\"window.hacked = 2\">", "a, 'b', \"c\"\nsecond line",
           "🍋 sour 🎵", "موسيقى حلوة مع \u202eevil", "=HYPERLINK(\"http://example.invalid/\")", "'--></script><script>window.hacked=3//",
           "long " * 400, "../../up", "nul-ish \u0001 \u001b[2J"]
TASTES = ["bitter", "sour", "sweet", "salty"]


def write(path, header, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(header.split(","))
        lines.writerows([guarded(value) for value in row] for row in rows)


def guarded(value):
    """A text as the harness writes it: see src/tables/cell.rs."""
    is_formula = isinstance(value, str) and value.lstrip("'")[:1] in ("=", "+", "-", "@", "\t", "\r") and value.lstrip("'")
    return f"'{value}" if is_formula else value


def wav(path, seconds, hz, rate=8000):
    """A tone that swells, 16 bits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = int(seconds * rate)
    tone = [int(12000 * (0.2 + 0.8 * abs(math.sin(3 * i / count))) * math.sin(2 * math.pi * hz * i / rate)) for i in range(count)]
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + 2 * count, b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16, b"data", 2 * count)
    path.write_bytes(head + struct.pack(f"<{count}h", *tone))


def maps_for(run):
    """maps.csv for a run that has scores but no maps: one map an arm, and a joint one."""
    with open(run / "scores.csv", newline="", encoding="utf-8") as file:
        scores = list(csv.DictReader(file))
    arms = list(dict.fromkeys(row["arm"] for row in scores))
    rows = []
    for name in arms + ["joint, 3 rows a taste"]:
        for k, row in enumerate(scores):
            if name in (row["arm"], "joint, 3 rows a taste"):
                turn = TASTES.index(row["taste"]) * math.pi / 2 + 0.25 * (k % 3)
                far = 10 + 3 * (k % 3) + 5 * arms.index(row["arm"])
                rows.append([name, row["arm"], row["id"], row["taste"], far * math.cos(turn), far * math.sin(turn)])
    write(run / "maps.csv", "map,arm,id,taste,tsne_1,tsne_2", rows)


def scores(folder, rows):
    write(folder / "scores.csv", "id,prompt,audio_path,clap_score,taste,arm,front,middle,back,offset",
          [[i, prompt, path, score, taste, arm, "", "", "", ""] for i, prompt, path, score, taste, arm in rows])


def hostile(folder):
    """Every text that comes from outside is an attack; the last piece has no sound."""
    folder.mkdir(parents=True)
    rows = []
    for k, text in enumerate(HOSTILE):
        path = folder / "sounds" / f"{k}.wav"
        if k + 1 < len(HOSTILE):
            wav(path, 2, 220 + 20 * k)
        rows.append([text, text, f"sounds/{k}.wav", 0.1 * k, text if k % 2 else "sweet", "<b onclick=\"window.hacked=4\">arm</b>"])
    scores(folder, rows)
    write(folder / "maps.csv", "map,arm,id,taste,tsne_1,tsne_2",
          [["<i>map</i>", row[5], row[0], row[4], 3 * math.cos(k), 3 * math.sin(k)] for k, row in enumerate(rows)])
    manifest = {"format": 1, "experiment": HOSTILE[0], "notebook": HOSTILE[1], "seed": 0, "settings": {"task": "clap_scores"},
                "maps": [{"map": "<i>map</i>", "perplexity_asked": 30, "perplexity": 3}],
                "arms": [{"name": "<i>", "checkpoint": HOSTILE[6], "licence": HOSTILE[1], "architecture": HOSTILE[0]}]}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    figures = folder / "figures"
    figures.mkdir()
    (figures / "scores.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="60" viewBox="0 0 300 60" onload="window.hacked=5"><title>&lt;b&gt;</title>'
        '<script>window.hacked=6</script><image href="http://example.invalid/x.png"/><style>body{display:none}</style>'
        '<rect width="300" height="60" fill="#FFFFFF"/><text x="5" y="30" fill="#212126">a figure</text></svg>', encoding="utf-8")


def compare(folder, items=12):
    """Two sets of pieces for the same items."""
    folder.mkdir(parents=True)
    rows, points = [], []
    for name, shift in (("before", 0.0), ("after", 0.06)):
        for k in range(items):
            path = folder / "made" / name / f"{k + 1}.wav"
            wav(path, 2, 200 + 30 * k + (15 if shift else 0))
            taste = TASTES[k % 4]
            score = round(0.2 * math.sin(k) + shift * (1 + math.cos(3 * k)), 6)
            rows.append([str(k + 1), f"{taste} music, item {k + 1}", f"made/{name}/{k + 1}.wav", score, taste, name,
                         f"{name} music", f"{taste} music as it was asked {name}", "630k, fusion on", "", "", "", ""])
            points.append(["630k, fusion on", f"{name} music", str(k + 1), taste,
                           8 * math.cos(k % 4 * 1.57) + k % 3 + 4 * bool(shift), 8 * math.sin(k % 4 * 1.57) + k % 5])
    write(folder / "scores.csv", "id,prompt,audio_path,clap_score,taste,set,condition,own_prompt,arm,front,middle,back,offset", rows)
    write(folder / "maps.csv", "map,arm,id,taste,tsne_1,tsne_2", points)
    stats = [["pair", "after music", "before music", "all", items, 0.06, 0.05, -0.01, 0.02, 0.05, 0.09, 0.12, 0.031, 0.088, 0.92,
              1.2, 0.93, 0.81, 0.0016, 0.0005, 0.0016, 0.0005]]
    for taste, mean, p in (("bitter", 0.08, 0.02), ("sour", 0.01, 0.7), ("sweet", 0.11, 0.004), ("salty", 0.04, 0.3)):
        stats.append(["pair", "after music", "before music", taste, 3, mean, 0.05, 0, 0, mean, 0.1, 0.12, mean - 0.03, mean + 0.03, 0.9,
                      1.0, 0.9, 0.8, p / 2, p / 2, p, p])
    write(folder / "stats.csv", "kind,arm,arm_b,taste,n,mean,sd,min,q1,median,q3,max,ci_low,ci_high,wins,cohens_d,pearson_r,kendall_tau_b,"
          "t_p,wilcoxon_p,t_p_holm,wilcoxon_p_holm", stats)
    write(folder / "distances.csv", "arm,set_a,set_b,taste,n_a,n_b,dimensions,frechet,kernel,kernel_p,small_sample",
          [["630k, fusion on", "after", "before", "all", items, items, 512, 0.412, 0.0013, 0.21, "true"]])
    manifest = {"format": 1, "experiment": "reprompt", "seed": 0, "settings": {"task": "compare", "tastes": TASTES},
                "sets": [{"name": name, "from": {"experiment": run, "identity": "a" * 64}} for name, run in (("before", "gen_a"), ("after", "gen_b"))],
                "arms": [{"name": "630k, fusion on", "checkpoint": "630k-audioset-fusion-best.pt", "licence": "cc0-1.0"}]}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def texts(folder, count=600):
    """Captions on a map, and the nearest of a query."""
    folder.mkdir(parents=True)
    captions = [(f"id{k}", f"A {TASTES[k % 4]} tune, the {k}th, with a slow piano and a warm bass that goes on for a while") for k in range(count)]
    write(folder / "embeddings.csv", "text,embedding,kind,id,count", [[text, "[1]", "caption", i, 1] for i, text in captions])
    write(folder / "maps.csv", "map,arm,id,taste,tsne_1,tsne_2",
          [["captions", "music_audioset", i, TASTES[k % 4], 20 * math.cos(k * 2.399) * math.sqrt(k), 20 * math.sin(k * 2.399) * math.sqrt(k)]
           for k, (i, _) in enumerate(captions)])
    write(folder / "nearest.csv", "query,kind,rank,similarity,text,id",
          [["sweet, warm", "caption", k + 1, 0.7 - 0.03 * k, captions[k][1], captions[k][0]] for k in range(10)])
    write(folder / "histogram.csv", "set,low,high,count", [["caption", k / 10, k / 10 + 0.1, 100 * (10 - abs(4 - k))] for k in range(10)])
    manifest = {"format": 1, "experiment": "musiccaps_text", "notebook": "clap-encoder-spanio-audiocaps", "seed": 0, "settings": {"task": "texts"},
                "arms": [{"name": "music_audioset", "checkpoint": "music_audioset_epoch_15_esc_90.14.pt", "licence": "cc0-1.0"}]}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
