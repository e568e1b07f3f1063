#!/usr/bin/env bash
# Slurm and munge from the distribution's packages, where they are missing. Needs the right to install.
set -euo pipefail
command -v sbatch slurmctld slurmd munged > /dev/null && exit 0
export DEBIAN_FRONTEND=noninteractive
apt-get install -y -q slurm-wlm munge
