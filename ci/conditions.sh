#!/usr/bin/env bash
# Counts the conditions on a target (target_*, unix, windows, wasio_shell in cfg, cfg_attr and cfg!) of the guest crates outside of
# sys/. Each must be in ci/conditions.txt, with its reason.
set -euo pipefail
cd "$(dirname "$0")/.."
find runtime/src net/src wasio/src drop-in/*/src -name '*.rs' -not -path '*/sys/*' -print0 | sort -z |
  xargs -0 perl -e '
    my (%permitted, %found, $failed);
    my ($bound) = (20);
    open my $list, "<", "ci/conditions.txt" or die "ci/conditions.txt: $!";
    while (<$list>) {
      next if /^#|^$/;
      my ($count, $where, $condition, $reason) = /^(\d+) (\S+) (.*?) \| (.+)$/ or die "not understood: $_";
      $permitted{"$where $condition"} = $count;
    }
    for my $file (@ARGV) {
      open my $source, "<", $file or die "$file: $!";
      local $/;
      my $text = <$source>;
      $text =~ s{^\s*//[^\n]*}{}mg;
      while ($text =~ /\b(cfg(?:_attr)?!?)\s*(\((?:[^()]++|(?2))*\))/g) {
        my ($kind, $condition) = ($1, $2);
        (my $names = $condition) =~ s/"[^"]*"//g;
        next unless $names =~ /\b(?:target_\w+|unix|windows|wasio_shell)\b/;
        $condition =~ s/\s+/ /g;
        $condition =~ s/\( /(/g;
        $condition =~ s/,? \)/)/g;
        $found{"$file $kind$condition"}++;
      }
    }
    my $total = 0;
    for (sort keys %found) {
      $total += $found{$_};
      my $allowed = $permitted{$_} // 0;
      next if $found{$_} == $allowed;
      print "$found{$_} $_: $allowed in ci/conditions.txt\n";
      $failed = 1;
    }
    for (sort keys %permitted) {
      next if $found{$_};
      print "in ci/conditions.txt, but not in the sources: $_\n";
      $failed = 1;
    }
    print "$total conditions on a target outside of sys/; fewer than $bound are permitted\n";
    exit(($failed or $total >= $bound) ? 1 : 0);
  '
