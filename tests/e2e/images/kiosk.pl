# A web server for the kiosk's test: one page that says how it is twice a second. Requests are noted, unescaped.
use strict;
use IO::Socket::INET;

my $page = <<'HTML';
<!doctype html><meta charset="utf-8"><title>Exam</title>
<body style="margin: 8px; background: linear-gradient(#2a6, #164); color: #fff; font: 24px sans-serif">
<h1>Exam page</h1>
<p><input id="answer" autofocus style="font: inherit"></p>
<p><a target="_blank" href="/other" style="color: #fff">a link</a> &nbsp; <a href="/file.bin" style="color: #fff">a download</a></p>
<script>
setInterval(() => {
  const words = [`${innerWidth}x${innerHeight}`, document.visibilityState, document.hasFocus(), document.getElementById("answer").value];
  fetch("/alive?" + words.join(" "));
}, 500);
</script>
HTML

$SIG{CHLD} = 'IGNORE';
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 8000, Listen => 50, ReuseAddr => 1) or die $!;
while (my $browser = $listener->accept) {
    my $request = <$browser>;
    while (<$browser>) { last if /^\r?\n$/ }
    $request =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
    open my $notes, '>>', '/tmp/requests';
    print $notes $request =~ s/\r?\n//r, "\n";
    close $notes;
    my ($type, $body) = $request =~ /file\.bin/ ? ('application/octet-stream', 'x' x 1000) : ('text/html', $page);
    $body = '' if $request =~ /alive/;
    print $browser "HTTP/1.0 200 OK\r\nContent-Type: $type\r\nContent-Length: ", length $body, "\r\n\r\n", $body;
    close $browser;
}
