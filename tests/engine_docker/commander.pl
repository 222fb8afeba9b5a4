#!/usr/bin/perl
# A session's program for tests: whoever connects to port 8080 sends a shell script and gets what it printed.
use strict;
use warnings;
use IO::Socket::INET;

$SIG{TERM} = sub { exit 0 };
$SIG{CHLD} = 'IGNORE';
my $listener = IO::Socket::INET->new(LocalPort => 8080, Listen => 64, ReuseAddr => 1) or die "no port: $!\n";
while (1) {
    my $peer = $listener->accept or next;
    next if fork;
    $SIG{$_} = 'DEFAULT' for qw(TERM CHLD);
    my $script = do { local $/; <$peer> };
    open STDOUT, '>&', $peer;
    open STDERR, '>&', $peer;
    exec '/bin/bash', '-c', $script;
}
