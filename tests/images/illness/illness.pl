#!/usr/bin/perl
# One container per way an upstream can be ill. ILLNESS is one of
#   exits    says why on stderr and ends with code 3 at once
#   silent   runs and never listens
#   closes   accepts on PORT and closes without a word
#   web      a small HTTP/1.1 server on PORT: healthy, and says what it received
# PORT is 8080 unless set. Needs perl-base only.
use strict;
use warnings;
use IO::Socket::INET;
use Socket qw(SOMAXCONN IPPROTO_TCP TCP_NODELAY);

$| = 1;
my $port = $ENV{PORT} || 8080;
my %illnesses = (exits => \&exits, silent => \&silent, closes => \&closes, web => \&web);
my $illness = $ENV{ILLNESS} || 'silent';
my $run = $illnesses{$illness}
    or die "illness: there is no illness called '$illness'; choose one of " . join(' ', sort keys %illnesses) . "\n";
$SIG{TERM} = $SIG{INT} = sub { exit 0 };
$SIG{CHLD} = 'IGNORE';
$SIG{PIPE} = 'IGNORE';
$run->();

sub exits {
    print STDERR "illness: the course licence could not be found, giving up\n";
    exit 3;
}

sub silent {
    print "illness: running and not listening\n";
    sleep 3600 while 1;
}

sub listener {
    return IO::Socket::INET->new(LocalAddr => '0.0.0.0', LocalPort => $port, Listen => SOMAXCONN, ReuseAddr => 1)
        || die "illness: cannot listen on port $port: $!\n";
}

sub closes {
    my $listener = listener();
    while (1) {
        my $peer = $listener->accept or next;
        close $peer;
    }
}

# One process per connection; keeps it open between requests.
sub web {
    my $listener = listener();
    while (1) {
        my $peer = $listener->accept or next;
        my $child = fork;
        if (!defined $child || $child) { close $peer; next; }
        close $listener;
        $SIG{TERM} = 'DEFAULT';
        setsockopt $peer, IPPROTO_TCP, TCP_NODELAY, 1;
        binmode $peer;
        1 while serve($peer);
        exit 0;
    }
}

# Answers one request; true when another may follow on this connection.
sub serve {
    my ($peer) = @_;
    my $line = <$peer>;
    return 0 unless defined $line && $line =~ m{^(\S+) (\S+) HTTP/1\.([01])\r?$};
    my ($method, $target, $minor) = ($1, $2, $3);
    my (@headers, %first);
    while (defined($line = <$peer>)) {
        $line =~ s/\r?\n\z//;
        last if $line eq '';
        my ($name, $value) = split /:\s*/, $line, 2;
        push @headers, [$name, $value // ''];
        $first{lc $name} //= $value // '';
    }
    print {$peer} "HTTP/1.1 100 Continue\r\n\r\n" if lc($first{expect} // '') eq '100-continue';
    my ($body, $trailers) = body($peer, \%first);
    return 0 unless defined $body;

    my $keep = lc($first{connection} // '') !~ /close/ && $minor == 1;
    my ($path, $query) = split /\?/, $target, 2;
    if ($path eq '/redirect') {
        answer($peer, $method, $keep, '302 Found', ['Location: /next'], "moved\n");
    } elsif ($path eq '/big') {
        big($peer, $method, $keep);
    } elsif ($path eq '/slow') {
        slow($peer, $method, $keep);
    } elsif ($path eq '/cut') {
        print {$peer} "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\nonly this much";
        return 0;
    } elsif ($path =~ m{^/status/(\d{3})$}) {
        answer($peer, $method, $keep, "$1 As Asked", [], $1 =~ /^(?:1..|204|304)$/ ? '' : "status $1\n");
    } else {
        answer($peer, $method, $keep, '200 OK', ['Content-Type: application/json', 'Set-Cookie: a=b; Path=/'],
            echo($method, $target, \@headers, $body, $trailers));
    }
    return $keep;
}

# The whole body, by length or chunks, and the trailer lines; undef when the peer gave up half way.
sub body {
    my ($peer, $first) = @_;
    if (lc($first->{'transfer-encoding'} // '') =~ /chunked/) {
        my $whole = '';
        while (1) {
            my $size = <$peer>;
            return unless defined $size && $size =~ /^([0-9a-fA-F]+)/;
            my $count = hex $1;
            last if $count == 0;
            my $chunk = exactly($peer, $count);
            return unless defined $chunk && defined exactly($peer, 2);
            $whole .= $chunk;
        }
        my @trailers;
        while (defined(my $line = <$peer>)) {
            $line =~ s/\r?\n\z//;
            last if $line eq '';
            push @trailers, $line;
        }
        return ($whole, \@trailers);
    }
    return (exactly($peer, $first->{'content-length'} || 0), []);
}

sub exactly {
    my ($peer, $count) = @_;
    my $bytes = '';
    while (length($bytes) < $count) {
        read($peer, $bytes, $count - length $bytes, length $bytes) or return;
    }
    return $bytes;
}

sub answer {
    my ($peer, $method, $keep, $status, $headers, $text) = @_;
    my $head = join "\r\n", "HTTP/1.1 $status", @$headers, 'Connection: ' . ($keep ? 'keep-alive' : 'close');
    $head .= "\r\nContent-Length: " . length $text unless $status =~ /^(?:1..|204|304) /;
    print {$peer} "$head\r\n\r\n", $method eq 'HEAD' ? '' : $text;
}

# 10 MiB in chunks of 64 KiB, each byte the low byte of its chunk's number, and a trailer at the end.
sub big {
    my ($peer, $method, $keep) = @_;
    chunked_head($peer, $keep, "Content-Type: application/octet-stream\r\nTrailer: X-Chunks\r\n");
    return if $method eq 'HEAD';
    for my $number (0 .. 159) {
        print {$peer} "10000\r\n", chr($number) x 65536, "\r\n" or exit 0;
    }
    print {$peer} "0\r\nX-Chunks: 160\r\n\r\n";
}

# One line a second, five of them.
sub slow {
    my ($peer, $method, $keep) = @_;
    chunked_head($peer, $keep, "Content-Type: text/plain\r\n");
    return if $method eq 'HEAD';
    $peer->flush;
    for my $number (1 .. 5) {
        my $line = "line $number\n";
        printf {$peer} "%x\r\n%s\r\n", length $line, $line or exit 0;
        $peer->flush;
        sleep 1;
    }
    print {$peer} "0\r\n\r\n";
}

sub chunked_head {
    my ($peer, $keep, $headers) = @_;
    print {$peer} "HTTP/1.1 200 OK\r\n${headers}Transfer-Encoding: chunked\r\nConnection: ",
        ($keep ? 'keep-alive' : 'close'), "\r\n\r\n";
}

sub echo {
    my ($method, $target, $headers, $body, $trailers) = @_;
    my $lines = join ",\n    ", map { '[' . quoted($_->[0]) . ', ' . quoted($_->[1]) . ']' } @$headers;
    return "{\n  \"method\": " . quoted($method) . ",\n  \"path\": " . quoted($target) . ",\n  \"headers\": [\n    $lines\n  ],\n"
        . '  "trailers": [' . join(', ', map { quoted($_) } @$trailers) . "],\n"
        . '  "body_length": ' . length($body) . ",\n  \"body\": " . quoted(substr $body, 0, 65536) . "\n}\n";
}

sub quoted {
    my ($text) = @_;
    $text =~ s/(["\\])/\\$1/g;
    $text =~ s/([^\x20-\x7e])/sprintf '\\u%04x', ord $1/ge;
    return "\"$text\"";
}
