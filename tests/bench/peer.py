#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""peer.py PORT: the second peer to measure against: the same job with python3-socketio on aiohttp,
in the way their manuals show. Debian has no SDK of OpenAI for Python, so aiohttp reads the events.
"""

import asyncio
import json
import os
import sys
import uuid

import aiohttp
import socketio
from aiohttp import web

BASE_URL = os.environ.get('OPENAI_BASE_URL', 'http://127.0.0.1:9/v1')

sio = socketio.AsyncServer(async_mode='aiohttp', cors_allowed_origins='*')
app = web.Application()
sio.attach(app, socketio_path='api/socket')
tasks = set()


async def deltas(client, message):
    """The texts of an upstream's answer, one by one."""
    body = {'model': 'default', 'stream': True,
            'messages': [{'role': 'user', 'content': message}]}
    async with client.post(f'{BASE_URL}/chat/completions', json=body) as response:
        response.raise_for_status()
        async for line in response.content:
            data = line.strip().removeprefix(b'data: ')
            if not data or data == b'[DONE]':
                continue
            choice = json.loads(data)['choices'][0]
            if choice['delta'].get('content'):
                yield choice['delta']['content']


async def generate(sid, request, ids):
    module = request['moduleId']
    same = {'moduleId': module, 'generationId': ids['generationId']}
    # whoever follows the module hears of it too
    followed = module in sio.manager.rooms['/']
    if followed:
        sio.enter_room(sid, module)
    target = {'to': module if followed else sid}
    text = ''
    seq = 0
    await sio.emit('ai:chat:started', {**same, 'message': request['message']}, **target)
    try:
        async for chunk in deltas(app['client'], request['message']):
            text += chunk
            seq += 1
            await sio.emit('ai:chat:chunk', {'chunk': chunk, **same, 'seq': seq}, **target)
    except aiohttp.ClientError as error:
        await sio.emit('ai:chat:error', {'error': str(error), 'code': 'upstream-error', **same},
                       **target)
        return
    await sio.emit('ai:chat:complete', {'message': text, **same, 'finishReason': 'stop'}, **target)


@sio.on('ai:chat:generate')
async def on_generate(sid, request):
    ids = {'generationId': str(uuid.uuid4()), 'messageId': str(uuid.uuid4())}
    task = asyncio.create_task(generate(sid, request, ids))
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return {'ok': True, **ids}


@sio.on('ai:chat:resume')
async def on_resume(sid, request):
    sio.enter_room(sid, request['moduleId'])
    return {'ok': True}


async def main():
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as client:
        app['client'] = client
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, '127.0.0.1', int(sys.argv[1]), backlog=4096)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]
        print(f'Listening on http://127.0.0.1:{port}/', flush=True)
        await asyncio.Event().wait()


if __name__ == '__main__':
    asyncio.run(main())
