"""Each kind is a module: `COUNT` and `CI_COUNT` cases by default, and `attack(case)`, which works one case."""
from kinds import disks, endless, links, mutate, numbers, shards, signals, swaps, terminal, tokenizers

ALL = {"mutate": mutate, "tokenizers": tokenizers, "numbers": numbers, "links": links, "endless": endless, "terminal": terminal,
       "swaps": swaps, "disks": disks, "signals": signals, "shards": shards}
