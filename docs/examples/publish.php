<?php

require __DIR__ . '/vendor/autoload.php';

use PhpAmqpLib\Connection\AMQPStreamConnection;
use PhpAmqpLib\Message\AMQPMessage;

$connection = new AMQPStreamConnection('localhost', 5672, getenv('AMQP_USER'), getenv('AMQP_PASSWORD'));
$channel = $connection->channel();
$channel->confirm_select();

$channel->set_nack_handler(function (AMQPMessage $message): void {
    throw new RuntimeException('The broker refused the message.');
});
$channel->set_return_listener(function (int $code, string $reason, string $exchange, string $lane): void {
    throw new RuntimeException("There is no lane $lane: $reason");
});

$body = json_encode([
    'version' => 1,
    'phone_number' => '081234567890',
    'message' => 'Terima kasih, pembayaran Anda sudah kami terima.',
    'source' => 'payment',
    'idempotency_key' => 'invoice-17',
], JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE);

$message = new AMQPMessage($body, [
    'message_id' => bin2hex(random_bytes(16)),
    'priority' => 9,
    'delivery_mode' => AMQPMessage::DELIVERY_MODE_PERSISTENT,
    'timestamp' => time(),
    'app_id' => 'payment',
    'content_type' => 'application/json',
]);

$channel->basic_publish($message, 'wa.messages', 'default', true); // true: mandatory
$channel->wait_for_pending_acks_returns(10); // seconds; throws when there is no confirm in time

$channel->close();
$connection->close();
