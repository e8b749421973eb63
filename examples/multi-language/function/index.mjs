import { greet } from 'greeting';

export const handler = async (event) => greet(event.name, 'Node.js');
