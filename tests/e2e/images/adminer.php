<?php
// Opens a database in Adminer as the button on its start page does, and prints the page. Arguments: driver, server.
[, $driver, $server] = $argv;
$cookies = [];

function ask(string $path, array $form = []): string {
    global $cookies;
    $header = 'Cookie: ' . http_build_query($cookies, '', '; ') . "\r\nContent-Type: application/x-www-form-urlencoded";
    $http = ['header' => $header, 'method' => $form ? 'POST' : 'GET', 'content' => http_build_query($form), 'follow_location' => 0];
    $body = file_get_contents("http://localhost:8081$path", false, stream_context_create(['http' => $http]));
    $next = null;
    foreach ($http_response_header as $line) {
        if (preg_match('/^Set-Cookie: ([^=]+)=([^;]*)/i', $line, $found)) {
            $cookies[$found[1]] = urldecode($found[2]);
        }
        if (preg_match('/^Location: (\S+)/i', $line, $found)) {
            $next = '/' . ltrim($found[1], '/');
        }
    }
    return $next === null ? $body : ask($next);
}

$login = ['driver' => $driver, 'server' => $server, 'username' => 'user', 'password' => '', 'db' => 'library'];
echo ask('/adminer.php', ['auth' => $login]);
